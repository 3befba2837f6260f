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
  std::sort(delivered.begin(), delivered.end());  // within a batch they come by partition
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(delivered, expected);

  // A replay of all batches gives each as it was, then goes on.
  PageviewsSource again({.seed = 9, .events = 2000, .rate = {}}, late);
  PageviewsSource live({.seed = 9, .events = 2000, .rate = {}}, late);
  again.open();
  live.open();
  RawBatch batch, same;
  for (bool more = true; more;) {
    more = live.poll(batch, 333, 0);
    again.read(batch.ranges, same);
    ASSERT_EQ(same.records.size(), batch.records.size());
    for (std::size_t i = 0; i < same.records.size(); ++i) {
      EXPECT_EQ(same.records[i].offset, batch.records[i].offset);
      EXPECT_EQ(std::string_view(same.records[i].data, same.records[i].bytes),
                std::string_view(batch.records[i].data, batch.records[i].bytes));
    }
  }
  EXPECT_FALSE(again.poll(same, 333, 0));
  EXPECT_TRUE(same.records.empty());
}

TEST(PageviewsSourceTest, ARateBeyondAMillionUsersIsRefused) {
  EXPECT_THROW(
      PageviewsSource({.seed = 1, .events = {}, .rate = 1e6}, [] { return ProcessingTime{}; }),
      EnvironmentError);
}

}  // namespace windrow
