// The source of `Generate`: paced, bounded, readable again, continued from a snapshot.
#include "ingest/pageviews_source.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace windrow {
namespace {

constexpr std::int64_t base_us = 1'767'225'600'000'000;

using Delivered = std::vector<std::tuple<std::uint32_t, std::int64_t, std::string>>;

bool poll_into(PageviewsSource& source, std::size_t rows_max, Delivered& delivered) {
  RawBatch batch;
  bool const more = source.poll(batch, rows_max, 0);
  for (RawRecord const& r : batch.records) {
    delivered.emplace_back(r.partition, r.offset, std::string(r.data, r.bytes));
  }
  return more;
}

class Pieces final : public SnapshotWriter, public SnapshotReader {
 public:
  void piece(std::string_view name, std::uint32_t shard, std::string_view bytes) override {
    kept_.emplace_back(name, shard, bytes);
  }
  bool next(std::string_view& name, std::uint32_t& shard, std::string_view& bytes) override {
    if (at_ == kept_.size()) {
      return false;
    }
    name = std::get<0>(kept_[at_]);
    shard = std::get<1>(kept_[at_]);
    bytes = std::get<2>(kept_[at_++]);
    return true;
  }

 private:
  std::vector<std::tuple<std::string, std::uint32_t, std::string>> kept_;
  std::size_t at_ = 0;
};

}  // namespace

TEST(PageviewsSourceTest, EndsAfterItsEventsWithDenseOffsets) {
  PageviewsSource source({.seed = 42, .events = 3000, .rate = {}},
                         [] { return ProcessingTime{INT64_MAX}; });
  source.open();
  EXPECT_TRUE(source.bounded());
  Delivered delivered;
  while (poll_into(source, 700, delivered)) {
  }
  EXPECT_GE(delivered.size(), 3000U);
  std::map<std::uint32_t, std::int64_t> next;
  for (auto const& [partition, offset, json] : delivered) {
    EXPECT_EQ(offset, next[partition]++);
  }
  RawBatch last;
  EXPECT_FALSE(source.poll(last, 10, 0));
  for (Range const& range : last.ranges) {
    EXPECT_TRUE(range.ended && range.from == range.to);
  }
}

TEST(PageviewsSourceTest, NothingComesBeforeItsArrival) {
  ProcessingTime now{base_us};
  PageviewsSource source({.seed = 1, .events = {}, .rate = 5.0}, [&] { return now; });
  source.open();
  RawBatch batch;
  std::size_t rows = 0;
  for (int minutes = 1; minutes <= 2000; ++minutes) {
    now.us = base_us + minutes * 60'000'000LL;
    EXPECT_TRUE(source.poll(batch, 1'000'000, 0));
    for (RawRecord const& r : batch.records) {
      EXPECT_LE(r.time.us, now.us);
    }
    for (Range const& range : batch.ranges) {
      EXPECT_TRUE(range.caught_up);
    }
    if (minutes > 200) {
      rows += batch.records.size();
    }
  }
  EXPECT_NEAR(static_cast<double>(rows), 1800 * 300.0, 1800 * 300.0 * 0.03);
  EXPECT_FALSE(source.bounded());
}

TEST(PageviewsSourceTest, ARestoredSourceContinuesAndOldRangesReadTheSame) {
  auto const late = [] { return ProcessingTime{INT64_MAX}; };
  PageviewsSource whole({.seed = 9, .events = 2000, .rate = {}}, late);
  whole.open();
  Delivered expected;
  while (poll_into(whole, 100'000, expected)) {
  }

  PageviewsSource first({.seed = 9, .events = 2000, .rate = {}}, late);
  first.open();
  Delivered delivered;
  poll_into(first, 811, delivered);
  Pieces pieces;
  first.snapshot(pieces);
  PageviewsSource second({.seed = 9, .events = 2000, .rate = {}}, late);
  second.restore(pieces);
  second.open();
  while (poll_into(second, 500, delivered)) {
  }
  EXPECT_EQ(delivered, expected);

  std::vector<Range> const ranges = {{1, 5, 9, false, false, {}}, {3, 0, 2, false, false, {}}};
  RawBatch again;
  second.read(ranges, again);
  ASSERT_EQ(again.records.size(), 6U);
  for (RawRecord const& r : again.records) {
    EXPECT_NE(std::find(expected.begin(), expected.end(),
                        std::tuple(r.partition, r.offset, std::string(r.data, r.bytes))),
              expected.end());
  }
}

TEST(PageviewsSourceTest, ARateBeyondAMillionUsersIsRefused) {
  EXPECT_THROW(
      PageviewsSource({.seed = 1, .events = {}, .rate = 1e6}, [] { return ProcessingTime{}; }),
      EnvironmentError);
}

}  // namespace windrow
