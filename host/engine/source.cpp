// The names of faults, as users see them; the order of records.
#include "host/engine/source.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace windrow {

std::string_view fault_name(Fault fault) {
  static constexpr std::array<std::string_view, faults> names{
      "bad_json",     "missing_field",  "wrong_type",    "bad_utf8",         "integer_overflow",
      "too_deep",     "too_large",      "bad_timestamp", "future_timestamp", "bad_expression",
      "dropped_late", "dropped_closed", "overflow",      "memory_limit",     "dead_letter"};
  return names.at(static_cast<std::size_t>(fault));
}

void order_by_partition(std::vector<RawRecord>& records) {
  auto const by_partition = [](RawRecord const& a, RawRecord const& b) {
    return a.partition < b.partition;
  };
  if (std::is_sorted(records.begin(), records.end(), by_partition)) {
    return;
  }
  // By counting: what a broker sends of several partitions comes in many short runs.
  std::vector<std::size_t> next(
      std::max_element(records.begin(), records.end(), by_partition)->partition + 2);
  for (RawRecord const& record : records) {
    ++next[record.partition + 1];
  }
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<RawRecord> ordered(records.size());
  for (RawRecord const& record : records) {
    ordered[next[record.partition]++] = record;
  }
  records = std::move(ordered);
}

}  // namespace windrow
