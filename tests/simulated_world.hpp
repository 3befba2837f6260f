// A world for the simulator: a log, a table, a clock and a network that one seed rules, and that
// outlive the processes which die in it.
#pragma once
#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "host/engine/clock.hpp"
#include "host/engine/sink.hpp"
#include "host/engine/source.hpp"
#include "tests/pipeline_fixture.hpp"

namespace windrow::testing {

// The process dies here.
struct Crash {};

// Draws from one stream; a real world would not repeat itself after a restart, nor does this one.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed) {}
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(n));
  }
  bool one_in(std::int64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

struct View {
  std::string key;
  std::int64_t second = 0, value = 0;
};

// What is wrong with the world on purpose: the simulator must find it.
enum class Canary { none, no_guard, new_versions, no_plans };

struct Row {
  std::int64_t version = 0, rows = 0, total = 0, window_start = 0;
  std::string key;
  bool deleted = false;
  bool operator==(Row const&) const = default;
};

// The table of a database, and the requests that hang in the network.  Guarded as every sink is:
// no lower version.
class Table {
 public:
  explicit Table(Canary canary) : canary_(canary) {}
  // Merging windows move rows from one to another, so that a count may go back to 0.
  bool merging = false;
  std::vector<std::string> faults;
  std::map<std::string, Row> rows;

  bool put(std::string const& id, Row const& row) {
    auto const [at, fresh] = rows.try_emplace(id, row);
    if (fresh) {
      return true;
    }
    Row& stored = at->second;
    if (row.version < stored.version && canary_ != Canary::no_guard) {
      return false;
    }
    if (row.version < stored.version) {
      faults.push_back("the version of " + id + " goes back");
    }
    if (row.version == stored.version && row != stored) {
      faults.push_back("two contents of one version: " + id);
    }
    if (!merging && row.rows < stored.rows) {
      faults.push_back("the count of " + id + " goes back");
    }
    stored = row;
    return true;
  }

 private:
  Canary canary_;
};

struct World {
  World(std::uint64_t seed, Canary what) : chance(seed), table(what), canary(what) {}
  Chance chance;
  std::vector<std::vector<View>> log;  // by partition
  std::int64_t slack_s = 0;            // a partition's watermark is so far behind its newest row
  Table table;
  std::vector<std::pair<std::string, Row>> delayed;  // sent once and answered, or so it seemed
  std::int64_t real_us = 1'000'000'000;
  bool calm = false;  // nothing fails any more
  Canary canary;
  [[nodiscard]] bool trouble(std::int64_t one_in) { return !calm && chance.one_in(one_in); }
};

class WorldClock final : public Clock {
 public:
  explicit WorldClock(World& world) : world_(world) {}
  ProcessingTime processing_time() override {
    world_.real_us += world_.chance.below(3'000'000);
    return {world_.real_us};
  }
  std::int64_t real_time_us() override { return world_.real_us; }

 private:
  World& world_;
};

// Reads a few rows of each partition at a time, as many as chance gives, also of the same offsets.
class LogSource final : public Source {
 public:
  explicit LogSource(World& world) : world_(world) {}
  void open() override {}
  bool poll(RawBatch& out, std::size_t, std::int64_t) override {
    out = {};
    texts_.clear();
    if (known() < world_.log.size() && (known() == 0 || world_.chance.one_in(3))) {
      position_.push_back(0);  // discovered
    }
    for (std::size_t p = 0; p < known(); ++p) {
      std::int64_t const left = size_of(p) - position_[p];
      std::int64_t const n = std::min(left, world_.chance.below(12));
      out.ranges.push_back(range(p, position_[p], position_[p] + n));
    }
    fill(out);
    bool more = known() < world_.log.size();
    for (std::size_t p = 0; p < known(); ++p) {
      more = more || position_[p] < size_of(p);
    }
    return more;
  }
  void begin_replay(std::span<Range const> whole) override {
    for (Range const& r : whole) {
      if (r.partition == known() && !r.name.empty()) {
        position_.push_back(std::stoll(r.name.substr(1)) == r.partition ? r.from : -1);
      }
    }
  }
  void read(std::span<Range const> ranges, RawBatch& out) override {
    out = {};
    texts_.clear();
    out.ranges.assign(ranges.begin(), ranges.end());
    fill(out);
  }
  [[nodiscard]] bool bounded() const override { return true; }
  [[nodiscard]] std::string_view name() const override { return "log"; }
  [[nodiscard]] std::string partition_name(std::uint32_t p) const override {
    return "p" + std::to_string(p);
  }
  [[nodiscard]] std::string_view path_of(std::uint32_t, std::int64_t) const override {
    return "log";
  }
  void snapshot(SnapshotWriter& out) const override {
    ByteWriter bytes;
    for (std::int64_t const position : position_) {
      bytes.put(position);
    }
    out.piece("positions", 0, bytes.bytes());
  }
  void restore(SnapshotReader& in) override {
    std::string_view name, bytes;
    std::uint32_t shard = 0;
    while (in.next(name, shard, bytes)) {
      for (ByteReader reader(bytes); !reader.empty();) {
        position_.push_back(reader.get<std::int64_t>());
      }
    }
  }

 private:
  [[nodiscard]] std::size_t known() const { return position_.size(); }
  [[nodiscard]] std::int64_t size_of(std::size_t p) const {
    return static_cast<std::int64_t>(world_.log[p].size());
  }
  [[nodiscard]] Range range(std::size_t p, std::int64_t from, std::int64_t to) const {
    std::int64_t newest = -1'000'000;
    for (std::int64_t i = 0; i < to; ++i) {
      newest = std::max(newest, world_.log[p][static_cast<std::size_t>(i)].second);
    }
    return {static_cast<std::uint32_t>(p),
            from,
            to,
            to == size_of(p),
            false,
            Watermark{(newest - world_.slack_s) * second}};
  }
  void fill(RawBatch& out) {
    for (Range const& r : out.ranges) {
      WINDROW_ASSERT(position_.at(r.partition) == r.from, "plans are read in their order");
      for (std::int64_t i = r.from; i < r.to; ++i) {
        View const& view = world_.log[r.partition][static_cast<std::size_t>(i)];
        std::string const& text = texts_.emplace_back(view.key + "," + std::to_string(view.second) +
                                                      "," + std::to_string(view.value));
        out.records.push_back(
            {text.data(), static_cast<std::uint32_t>(text.size()), r.partition, i, T_MIN});
      }
      position_[r.partition] = r.to;
    }
  }

  World& world_;
  std::vector<std::int64_t> position_;
  std::deque<std::string> texts_;
};

// Writes to the table over a network that loses answers, sends twice, and delivers late.
class TableSink final : public Sink {
 public:
  TableSink(World& world, SinkSchema schema) : world_(world), schema_(std::move(schema)) {
    for (std::size_t i = 0; i < schema_.columns.fields.size(); ++i) {
      at_[schema_.columns.fields[i].name] = i;
    }
  }
  void open() override {}
  void write(SinkRowsView const& rows, std::span<Outcome> out,
             std::vector<SinkFault>& faults) override {
    faults.clear();
    deliver_late();
    for (std::size_t row = 0; row < rows.rows; ++row) {
      if (world_.trouble(120)) {  // some rows are in, the answer is lost
        std::fill(out.begin(), out.end(), Outcome::retry);
        faults.push_back({0, "the answer is lost"});
        return;
      }
      auto const integer = [&](char const* name) {
        ColumnView const& column = rows.columns[at_.at(name)];
        return column.is_valid(row) ? column.integers()[row] : 0;
      };
      Row sent{rows.pane_version,
               integer("rows"),
               integer("total"),
               integer("window_start"),
               std::string(rows.columns[at_.at("key")].text(row)),
               rows.columns[schema_.deleted].booleans()[row] != 0};
      if (world_.canary == Canary::new_versions) {
        sent.version = world_.real_us++;  // as a sink would that takes its own clock
      }
      std::string id(rows.columns[schema_.id].text(row));
      out[row] = world_.table.put(id, sent) ? Outcome::ok : Outcome::superseded;
      if (world_.trouble(15)) {
        world_.delayed.emplace_back(std::move(id), std::move(sent));
      }
    }
  }

 private:
  void deliver_late() {
    while (!world_.delayed.empty() && world_.chance.one_in(3)) {
      auto const at = world_.delayed.begin() +
                      world_.chance.below(static_cast<std::int64_t>(world_.delayed.size()));
      world_.table.put(at->first, at->second);
      world_.delayed.erase(at);
    }
  }

  World& world_;
  SinkSchema schema_;
  std::map<std::string, std::size_t> at_;
};

}  // namespace windrow::testing
