#include "host/cpu/sketches.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "host/engine/value.hpp"
#include "host/model/hyperloglog.hpp"

namespace windrow::cpu {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t entry_bytes = sizeof(std::uint32_t);
constexpr std::size_t count_at = sizeof(std::int32_t);  // in a bucket
constexpr std::size_t bucket_bytes = count_at + sizeof(std::uint64_t);

template <class T>
T load(std::string_view from, std::size_t at) {
  T value;
  std::memcpy(&value, from.data() + at, sizeof value);
  return value;
}
template <class T>
void store(std::string& to, std::size_t at, T value) {
  std::memcpy(to.data() + at, &value, sizeof value);
}

// Of items of `Width` bytes that begin with a T and ascend: where the first stands that is not
// below `key`.  Without a branch that values decide.
template <class T, std::size_t Width>
std::size_t lower_bound(std::string_view items, T key) {
  std::size_t at = 0;
  for (std::size_t left = items.size() / Width; left > 0;) {
    std::size_t const half = (left + 1) / 2;
    at += load<T>(items, at + (half - 1) * Width) < key ? half * Width : 0;
    left -= half;
  }
  return at;
}

bool is_dense(CombineFn const& fn, std::string_view registers) {
  return registers.size() == std::size_t{1} << fn.n;
}

void raise(std::string& registers, DistinctRank const& to) {
  auto& rank = reinterpret_cast<std::uint8_t&>(registers[to.index]);
  rank = std::max(rank, static_cast<std::uint8_t>(to.rank));
}

void make_dense(CombineFn const& fn, std::string& registers) {
  std::string dense(std::size_t{1} << fn.n, '\0');
  for (std::size_t at = 0; at < registers.size(); at += entry_bytes) {
    raise(dense, distinct_rank_of(load<std::uint32_t>(registers, at)));
  }
  registers = std::move(dense);
}

void lift_distinct(CombineFn const& fn, std::string& to, DistinctRank const& rank) {
  if (is_dense(fn, to)) {
    raise(to, rank);
    return;
  }
  std::uint32_t const entry = distinct_entry(rank);
  std::size_t const at =
      lower_bound<std::uint32_t, entry_bytes>(to, distinct_entry({rank.index, 0}));
  if (at < to.size() && distinct_rank_of(load<std::uint32_t>(to, at)).index == rank.index) {
    store(to, at, std::max(load<std::uint32_t>(to, at), entry));
    return;
  }
  to.insert(at, reinterpret_cast<char const*>(&entry), entry_bytes);
  if (to.size() / entry_bytes > distinct_entries_max(fn.n)) {
    make_dense(fn, to);
  }
}

void merge_distinct(CombineFn const& fn, std::string& to, std::string&& from) {
  if (!is_dense(fn, to) && is_dense(fn, from)) {
    to.swap(from);
  }
  if (is_dense(fn, from)) {
    for (std::size_t i = 0; i < to.size(); ++i) {
      to[i] = std::max(to[i], from[i]);  // ranks are small: char is as good
    }
    return;
  }
  for (std::size_t at = 0; at < from.size(); at += entry_bytes) {
    lift_distinct(fn, to, distinct_rank_of(load<std::uint32_t>(from, at)));
  }
}

std::int64_t extract_distinct(CombineFn const& fn, std::string_view from) {
  std::uint32_t registers_of[distinct_ranks] = {};
  if (is_dense(fn, from)) {
    for (char const rank : from) {
      ++registers_of[static_cast<std::uint8_t>(rank)];
    }
  } else {
    for (std::size_t at = 0; at < from.size(); at += entry_bytes) {
      ++registers_of[distinct_rank_of(load<std::uint32_t>(from, at)).rank];
    }
    registers_of[0] = (1U << fn.n) - static_cast<std::uint32_t>(from.size() / entry_bytes);
  }
  return distinct_estimate(registers_of, fn.n);
}

void lift_quantile(std::string& to, std::int32_t bucket, std::uint64_t values) {
  std::size_t const at = lower_bound<std::int32_t, bucket_bytes>(to, bucket);
  if (at == to.size() || load<std::int32_t>(to, at) != bucket) {
    char fresh[bucket_bytes] = {};
    std::memcpy(fresh, &bucket, sizeof bucket);
    to.insert(at, fresh, bucket_bytes);
  }
  store(to, at + count_at, load<std::uint64_t>(to, at + count_at) + values);
}

// Both ascend, so that one pass joins them.
void merge_quantile(std::string& to, std::string const& from) {
  std::string joined;
  joined.reserve(to.size() + from.size());
  std::size_t at = 0;
  for (std::size_t i = 0; i < from.size(); i += bucket_bytes) {
    auto const bucket = load<std::int32_t>(from, i);
    for (; at < to.size() && load<std::int32_t>(to, at) < bucket; at += bucket_bytes) {
      joined.append(to, at, bucket_bytes);
    }
    joined.append(from, i, bucket_bytes);
    if (at < to.size() && load<std::int32_t>(to, at) == bucket) {
      store(joined, joined.size() - bucket_bytes + count_at,
            load<std::uint64_t>(from, i + count_at) + load<std::uint64_t>(to, at + count_at));
      at += bucket_bytes;
    }
  }
  joined.append(to, at);
  to = std::move(joined);
}

double quantile(CombineFn const& fn, std::string_view from, double q, std::uint64_t count) {
  std::uint64_t before = quantile_rank(q, count);
  std::size_t at = 0;
  while (load<std::uint64_t>(from, at + count_at) <= before) {
    before -= load<std::uint64_t>(from, at + count_at);
    at += bucket_bytes;
  }
  return quantile_value(load<std::int32_t>(from, at), fn.n);
}

void extract_quantiles(CombineFn const& fn, std::string_view from, Column& out) {
  if (from.empty()) {
    out.append_null();
    return;
  }
  std::uint64_t count = 0;
  for (std::size_t at = 0; at < from.size(); at += bucket_bytes) {
    count += load<std::uint64_t>(from, at + count_at);
  }
  if (fn.quantiles == 0) {
    out.append(quantile(fn, from, fn.q[0], count));
    return;
  }
  ContainerEncoder list(Scalar::Kind::list, out.open_text());
  for (std::uint32_t i = 0; i < fn.quantiles; ++i) {
    list.add(Scalar::of(quantile(fn, from, fn.q[i], count)));
  }
  list.close();
  out.end_text();
}

}  // namespace

void lift_sketch(CombineFn const& fn, std::string& to, std::uint64_t bits) {
  if (fn.kind == CombineKind::approx_distinct) {
    lift_distinct(fn, to, distinct_rank(bits, fn.n));
  } else {
    lift_quantile(to, quantile_bucket(std::bit_cast<double>(bits), fn.n), 1);
  }
}

void merge_sketch(CombineFn const& fn, std::string& to, std::string&& from) {
  if (fn.kind == CombineKind::approx_distinct) {
    merge_distinct(fn, to, std::move(from));
  } else {
    merge_quantile(to, from);
  }
}

void extract_sketch(CombineFn const& fn, std::string_view from, Column& out) {
  if (fn.kind == CombineKind::approx_distinct) {
    out.append(extract_distinct(fn, from));
  } else {
    extract_quantiles(fn, from, out);
  }
}

}  // namespace windrow::cpu
