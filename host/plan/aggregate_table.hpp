// The aggregates of a Combine (semantics.md 16.4).
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "host/model/accumulator.hpp"
#include "host/plan/key_table.hpp"

namespace windrow {

// Types that an aggregate takes.
enum class Takes : std::uint8_t { anything, numbers, scalars, booleans, lists, structures };
//   config  keys of its own
struct AggregateSpec {
  std::string_view name;
  CombineKind kind;
  Takes takes;
  bool windrow;
  std::string_view meaning;
  std::span<KeySpec const> config = {};
};

[[nodiscard]] std::span<AggregateSpec const> aggregate_table();
[[nodiscard]] AggregateSpec const* find_aggregate(std::string_view name);

}  // namespace windrow
