// Accumulators without a fixed size.
#include "host/cpu/boxes.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>
#include <utility>

#include "host/cpu/sketches.hpp"
#include "host/engine/value.hpp"
#include "host/model/portable.hpp"

namespace windrow::cpu {
namespace {

Scalar decoded(std::string_view encoded) { return decode(encoded); }

bool is_null(std::string_view encoded) { return decoded(encoded).is_null(); }

// The member of an encoded structure that orders `top`.
Scalar nth_member(std::string_view structure, std::uint32_t n) {
  ContainerReader reader(structure);
  std::string_view name;
  Scalar value;
  for (std::uint32_t i = 0; reader.next(name, value); ++i) {
    if (i == n) {
      return value;
    }
  }
  return Scalar::null();
}

// NaN and null come last, whatever the order.
bool is_lost(Scalar const& value) {
  return value.is_null() || (value.kind == Scalar::Kind::number && std::isnan(value.number));
}

// Does `a` stand before `b` in the result of `top`?  Ties: the remaining fields ascending.
bool is_better(CombineFn const& fn, std::string_view a, std::string_view b) {
  Scalar const by_a = nth_member(a, fn.by), by_b = nth_member(b, fn.by);
  bool const lost_a = is_lost(by_a), lost_b = is_lost(by_b);
  if (lost_a != lost_b) {
    return lost_b;
  }
  if (!lost_a) {
    int const order = compare(by_a, by_b);
    if (order != 0) {
      return fn.ascending ? order < 0 : order > 0;
    }
  }
  ContainerReader read_a(a), read_b(b);
  std::string_view name;
  Scalar value_a, value_b;
  for (std::uint32_t i = 0; read_a.next(name, value_a) && read_b.next(name, value_b); ++i) {
    if (i == fn.by) {
      continue;
    }
    int const order = compare(value_a, value_b);
    if (order != 0) {
      return order < 0;
    }
  }
  return false;
}

// These return whether the row went in; where the box is full, its last row went out.
bool lift_top(CombineFn const& fn, Box& to, BoxEntry&& entry) {
  if (is_null(entry.value)) {
    return false;
  }
  auto const better = [&](BoxEntry const& a, BoxEntry const& b) {
    return is_better(fn, a.value, b.value);
  };
  if (to.size() >= fn.n && (fn.n == 0 || !better(entry, to.back()))) {
    return false;
  }
  to.insert(std::upper_bound(to.begin(), to.end(), entry, better), std::move(entry));
  if (to.size() > fn.n) {
    to.pop_back();
  }
  return true;
}

// Keeps the one text that min, max, first or last answers with.
bool lift_text(CombineFn const& fn, Box& to, BoxEntry&& entry) {
  bool const by_time = fn.kind == CombineKind::first || fn.kind == CombineKind::last;
  if (!by_time && is_null(entry.value)) {
    return false;
  }
  if (to.empty()) {
    to.push_back(std::move(entry));
    return true;
  }
  BoxEntry& held = to.front();
  bool const smallest = fn.kind == CombineKind::first || fn.kind == CombineKind::min;
  int order = 0;
  if (by_time && entry.time_us != held.time_us) {
    order = entry.time_us < held.time_us ? -1 : 1;
  } else {
    order = compare(decoded(entry.value), decoded(held.value));
  }
  bool const wins = smallest ? order < 0 : order > 0;
  if (wins) {
    held = std::move(entry);
  }
  return wins;
}

void append_ranked(std::string_view structure, std::int64_t rank, std::string& out) {
  ContainerEncoder ranked(Scalar::Kind::structure, out);
  ContainerReader reader(structure);
  std::string_view name;
  Scalar value;
  while (reader.next(name, value)) {
    ranked.name(name);
    ranked.add(value);
  }
  ranked.name("rank");
  ranked.add(Scalar::of(rank));
  ranked.close();
}

void extract_list(CombineFn const& fn, Box const& from, Column& out) {
  ContainerEncoder list(Scalar::Kind::list, out.open_text());
  std::int64_t rank = 0;
  for (BoxEntry const& entry : from) {
    if (fn.kind == CombineKind::top) {
      append_ranked(entry.value, ++rank, list.member());
    } else if (fn.kind == CombineKind::group) {
      list.member().append(entry.value);
    } else {
      ContainerReader items(entry.value);
      std::string_view name;
      Scalar item;
      while (items.next(name, item)) {
        list.add(item);
      }
    }
  }
  list.close();
  out.end_text();
}

// Bytes of a text that does not lie in its entry.
std::size_t text_bytes(BoxEntry const& entry) {
  bool const inside = entry.value.capacity() == std::string().capacity();
  return inside ? 0 : entry.value.capacity() + 1;
}

std::size_t bytes_of(Box const& box) {
  std::size_t bytes = box.capacity() * sizeof(BoxEntry);
  for (BoxEntry const& entry : box) {
    bytes += text_bytes(entry);
  }
  return bytes;
}

// Two sets of rows in order of arrival.
void merge_by_arrival(Box& to, Box&& from) {
  auto const middle = static_cast<std::ptrdiff_t>(to.size());
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  std::inplace_merge(to.begin(), to.begin() + middle, to.end(),
                     [](BoxEntry const& a, BoxEntry const& b) { return a.sequence < b.sequence; });
  from.clear();
}

bool lift_boxed(CombineFn const& fn, Box& to, BoxEntry&& entry) {
  switch (fn.kind) {
    case CombineKind::top:
      return lift_top(fn, to, std::move(entry));
    case CombineKind::concat:
      if (is_null(entry.value)) {
        return false;
      }
      [[fallthrough]];
    case CombineKind::group:
      to.push_back(std::move(entry));
      return true;
    default:
      return lift_text(fn, to, std::move(entry));
  }
}

void merge_boxed(CombineFn const& fn, Box& to, Box&& from) {
  if (is_sketch(fn.kind)) {
    merge_sketch(fn, to.front().value, std::move(from.front().value));
    return;
  }
  if (fn.kind == CombineKind::group || fn.kind == CombineKind::concat) {
    merge_by_arrival(to, std::move(from));
    return;
  }
  for (BoxEntry& entry : from) {
    lift_boxed(fn, to, std::move(entry));
  }
}

}  // namespace

Box& BoxPool::open(std::uint32_t& handle) {
  if (handle == 0) {
    if (free_.empty()) {
      boxes_.emplace_back();
      handle = static_cast<std::uint32_t>(boxes_.size());
    } else {
      handle = free_.back();
      free_.pop_back();
    }
  }
  return boxes_[handle - 1];
}

void BoxPool::lift(CombineFn const& fn, std::uint32_t& handle, BoxEntry&& entry) {
  Box& box = open(handle);
  std::size_t const entries = box.size(), text = text_bytes(entry),
                    last = box.empty() ? 0 : text_bytes(box.back());
  held_ -= box.capacity() * sizeof(BoxEntry);
  if (lift_boxed(fn, box, std::move(entry))) {
    held_ += text;
    held_ -= box.size() == entries ? last : 0;
  }
  held_ += box.capacity() * sizeof(BoxEntry);
}

void BoxPool::append(std::uint32_t& handle, BoxEntry&& entry) {
  Box& box = open(handle);
  held_ -= box.capacity() * sizeof(BoxEntry);
  held_ += text_bytes(entry);
  box.push_back(std::move(entry));
  held_ += box.capacity() * sizeof(BoxEntry);
}

void BoxPool::lift_sketch(CombineFn const& fn, std::uint32_t& handle, std::uint64_t bits) {
  if (open(handle).empty()) {
    append(handle, {});
  }
  BoxEntry& sketch = boxes_[handle - 1].front();
  held_ -= text_bytes(sketch);
  cpu::lift_sketch(fn, sketch.value, bits);
  held_ += text_bytes(sketch);
}

void BoxPool::put(std::uint32_t& handle, Box&& box) {
  Box& to = open(handle);
  held_ -= bytes_of(to);
  held_ += bytes_of(box);
  to = std::move(box);
}

Box BoxPool::take(std::uint32_t handle) {
  Box taken;
  taken.swap(boxes_[handle - 1]);
  held_ -= bytes_of(taken);
  return taken;
}

void BoxPool::merge(CombineFn const& fn, std::uint32_t to, std::uint32_t from) {
  merge(fn, boxes_[to - 1], take(from));
}

void BoxPool::merge_copy(CombineFn const& fn, std::uint32_t& to, std::uint32_t from) {
  if (from == 0) {
    return;
  }
  Box copy = at(from);
  if (to == 0) {
    put(to, std::move(copy));
  } else {
    merge(fn, boxes_[to - 1], std::move(copy));
  }
}

void BoxPool::merge(CombineFn const& fn, Box& to, Box&& from) {
  held_ -= bytes_of(to);
  merge_boxed(fn, to, std::move(from));
  held_ += bytes_of(to);
}

void BoxPool::free(std::uint32_t& handle) {
  if (handle == 0) {
    return;
  }
  static_cast<void>(take(handle));
  free_.push_back(handle);
  handle = 0;
}

std::size_t BoxPool::bytes() const {
  return boxes_.capacity() * sizeof(Box) + free_.capacity() * sizeof(std::uint32_t) + held_;
}

void extract_boxed(CombineFn const& fn, Box const& from, Column& out) {
  if (is_sketch(fn.kind)) {
    extract_sketch(fn, from.empty() ? std::string_view{} : from.front().value, out);
  } else if (fn.kind == CombineKind::concat && out.type() != ValueType::list) {
    for (BoxEntry const& entry : from) {
      out.open_text().append(decoded(entry.value).text);
    }
    out.end_text();
  } else if (fn.kind == CombineKind::group || fn.kind == CombineKind::concat ||
             fn.kind == CombineKind::top) {
    extract_list(fn, from, out);
  } else if (from.empty()) {
    out.append_null();
  } else {
    out.append(decoded(from.front().value));
  }
}

void cancel(Box& log) {
  bool const has_withdrawals =
      std::any_of(log.begin(), log.end(), [](BoxEntry const& entry) { return entry.weight < 0; });
  if (!has_withdrawals) {
    return;
  }
  auto const content = [](BoxEntry const& e) { return std::tie(e.time_us, e.value); };
  std::vector<std::size_t> order(log.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (content(log[a]) != content(log[b])) {
      return content(log[a]) < content(log[b]);
    }
    return a < b;
  });
  std::vector<bool> gone(log.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && content(log[order[end]]) == content(log[order[begin]])) {
      ++end;
    }
    // The k-th withdrawal takes the k-th equal row: both lists stand in order of arrival.
    std::size_t row = begin, withdrawal = begin;
    while (true) {
      while (row < end && log[order[row]].weight < 0) {
        ++row;
      }
      while (withdrawal < end && log[order[withdrawal]].weight > 0) {
        ++withdrawal;
      }
      if (row == end || withdrawal == end) {
        break;
      }
      gone[order[row++]] = true;
      gone[order[withdrawal++]] = true;
    }
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (gone[i]) {
      continue;
    }
    if (kept != i) {
      log[kept] = std::move(log[i]);
    }
    ++kept;
  }
  log.resize(kept);
}

void write_box(Box const& box, ByteWriter& out) {
  out.put(static_cast<std::uint64_t>(box.size()));
  for (BoxEntry const& entry : box) {
    out.put(entry.sequence);
    out.put(entry.time_us);
    out.put(entry.weight);
    out.text(entry.value);
  }
}

Box read_box(ByteReader& in) {
  Box box;
  for (auto left = in.get<std::uint64_t>(); left > 0; --left) {
    BoxEntry& entry = box.emplace_back();
    entry.sequence = in.get<std::uint64_t>();
    entry.time_us = in.get<std::int64_t>();
    entry.weight = in.get<std::int64_t>();
    entry.value = in.text();
  }
  return box;
}

}  // namespace windrow::cpu
