// What holds of every source's batch.
#include "host/engine/source.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace windrow {
namespace {

TEST(SourceTest, RecordsAreOrderedByPartitionAndKeepTheirOrderWithinOne) {
  std::mt19937 random(7);
  for (std::uint32_t const partitions : {1U, 2U, 17U}) {
    for (std::size_t const rows : {0U, 1U, 2U, 500U}) {
      std::vector<RawRecord> records;
      for (std::size_t i = 0; i < rows; ++i) {
        records.push_back({nullptr, 1, static_cast<std::uint32_t>(random()) % partitions,
                           static_cast<std::int64_t>(i), T_MIN});
      }
      order_by_partition(records);
      EXPECT_EQ(records.size(), rows);
      EXPECT_TRUE(std::is_sorted(records.begin(), records.end(), [](auto const& a, auto const& b) {
        return std::pair(a.partition, a.offset) < std::pair(b.partition, b.offset);
      }));
    }
  }
}

}  // namespace
}  // namespace windrow
