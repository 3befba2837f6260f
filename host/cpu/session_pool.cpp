// Makes, chains and recycles sessions.
#include "host/cpu/session_pool.hpp"

#include <algorithm>
#include <cstring>

#include "host/model/portable.hpp"

namespace windrow::cpu {

std::uint32_t SessionPool::create(RecordLayout const& layout, KeyId key, Window window) {
  std::uint32_t session = 0;
  if (free_.empty()) {
    session = static_cast<std::uint32_t>(sessions_.size());
    sessions_.emplace_back();
    records_.resize(records_.size() + layout.bytes);
  } else {
    session = free_.back();
    free_.pop_back();
    std::memset(record(layout, session), 0, layout.bytes);
  }
  RecordLayout::head(record(layout, session)).key = key;
  std::size_t const i = dense_index(key);
  if (i >= first_.size()) {
    first_.resize(i + 1);
  }
  Session& added = sessions_[session];
  added.window = window;
  added.next = first_[i];
  first_[i] = session + 1;
  return session;
}

void SessionPool::erase(RecordLayout const& layout, std::uint32_t session) {
  std::uint32_t* link = &first_[dense_index(RecordLayout::head(record(layout, session)).key)];
  while (*link != session + 1) {
    WINDROW_ASSERT(*link != 0, "a session is in the chain of its key");
    link = &sessions_[*link - 1].next;
  }
  *link = sessions_[session].next;
  sessions_[session].queued = {};
  sessions_[session].pending.clear();
  free_.push_back(session);
}

std::vector<std::uint32_t> SessionPool::in_order() const {
  std::vector<std::uint32_t> order;
  for (std::uint32_t link : first_) {
    auto const begin = static_cast<std::ptrdiff_t>(order.size());
    for (; link != 0; link = sessions_[link - 1].next) {
      order.push_back(link - 1);
    }
    std::sort(order.begin() + begin, order.end(), [&](std::uint32_t a, std::uint32_t b) {
      // No two sessions of a key have one interval, closed ones included (R62).
      return sessions_[a].window < sessions_[b].window;
    });
  }
  return order;
}

std::size_t SessionPool::bytes() const {
  return sessions_.capacity() * sizeof(Session) + records_.capacity() +
         (first_.capacity() + free_.capacity()) * sizeof(std::uint32_t);
}

}  // namespace windrow::cpu
