// A source and a clock that do what a transcript says, batch by batch.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/cli/transcript/script.hpp"
#include "host/engine/clock.hpp"
#include "host/engine/source.hpp"

namespace windrow::transcript {

class ScriptedClock : public Clock {
 public:
  void set(std::int64_t us) { now_us_ = us; }
  [[nodiscard]] ProcessingTime processing_time() override { return {now_us_}; }
  [[nodiscard]] std::int64_t real_time_us() override { return ++real_us_; }

 private:
  std::int64_t now_us_ = 0;
  std::int64_t real_us_ = 0;
};

// Polls give the batch that was set last, once.  A record's `data` is its Row.
class ScriptedSource : public Source {
 public:
  // `partitioned`: partitions and their flags are scripted; else W is stated by the script.
  ScriptedSource(bool partitioned, bool bounded) : partitioned_(partitioned), bounded_(bounded) {}
  void set(Batch batch);

  void open() override {}
  bool poll(RawBatch& out, std::size_t rows_max, std::int64_t wait_us) override;
  void read(std::span<Range const> ranges, RawBatch& out) override;
  [[nodiscard]] bool bounded() const override { return bounded_; }
  [[nodiscard]] std::string_view name() const override { return "script"; }
  [[nodiscard]] std::string partition_name(std::uint32_t partition) const override;
  [[nodiscard]] std::string_view path_of(std::uint32_t, std::int64_t) const override {
    return "script";
  }
  void snapshot(SnapshotWriter& out) const override;
  void restore(SnapshotReader& in) override;

 private:
  struct Partition {
    std::string name;
    std::int64_t position = 0;
    bool caught_up = false, ended = false;
  };
  std::uint32_t partition(std::string const& name);
  bool partitioned_, bounded_, pending_ = false, all_ended_ = false;
  std::vector<Partition> partitions_;
  Batch batch_;
};

// Rows of the script -> columns key, value and the declared fields.
class ScriptedDecoder : public Decoder {
 public:
  explicit ScriptedDecoder(Schema schema) : schema_(std::move(schema)) {}
  void decode(RawBatch const& batch, std::size_t first, std::size_t count,
              DecodedChunk& out) override;

 private:
  Schema schema_;
};

}  // namespace windrow::transcript
