// The names of faults, as users see them; the order of records.
#include "host/engine/source.hpp"

#include <algorithm>
#include <array>

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
  if (!std::is_sorted(records.begin(), records.end(), by_partition)) {
    std::stable_sort(records.begin(), records.end(), by_partition);
  }
}

}  // namespace windrow
