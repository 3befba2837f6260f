// A transcript document as what it scripts: a pipeline file, batches and expectations (semantics.md
// 18.1; details: tests/transcripts/README.md).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/cli/transcript/node.hpp"
#include "host/plan/schema.hpp"

namespace windrow::transcript {

// A number of the document in its unit, exact in us, saturated at the int64 ends.
//   fraction  it was written with a fraction point: compared exactly, else after floor to the unit
struct Time {
  std::int64_t us = 0;
  bool fraction = false;
};
Time parse_time(std::string const& text, std::int64_t unit_us);

struct Row {
  std::int64_t ts_us = 0;
  std::string key;
  std::string partition = "p0";
  Node const* fields = nullptr;  // the map it was written as, if it was one
  std::int64_t value = 0;
  bool value_null = false;
  std::optional<std::string> record;  // its bytes, where rows are records
  bool on_arrival = false;            // its stamp is the clock of its batch
};

// One micro-batch of the scripted source.
struct Batch {
  std::vector<Row> rows;
  std::optional<std::int64_t> watermark_us;
  std::int64_t clock_us = 0;  // by how much the clock moves
  std::vector<std::string> deliver, assign, caught_up, end;
  bool end_all = false, drain = false;
};

// Cuts of the rows of one batch (P1): the clock goes with the first piece, W with the last.
enum class Split : std::uint8_t { as_written, one_row, two_rows, reversed, shuffled };
std::vector<Batch> split(Batch batch, Split how, std::uint64_t seed);

// The document, read; throws std::runtime_error on one that does not fit the format.
struct Script {
  std::string name;
  std::int64_t unit_us = 1'000'000;
  std::string pipeline_text;   // the whole pipeline file
  std::string watermark_text;  // a file whose Generate has the settings M of `source`, or empty
  std::vector<std::vector<std::string>> key_sets;  // one empty set: every row names its key
  std::vector<Split> splits;
  Schema rows;           // of the scripted source: key, value and `fields`
  bool records = false;  // rows are records of a real source instead: a map is JSON, text is raw
  bool own_ts = false;   // .. which have a field `ts`; else `ts` is the time of a record
  std::optional<std::string> error;
  bool beam = false;  // Beam's own form: actions that we do not know are ignored
  bool skip = false, unsafe = false, ignore_tombstones = false, bounded = false;
  std::vector<std::string> observe;
  Node const* actions = nullptr;
};
Script read_script(Node const& document);

// The batch of an action, if it is one.  `keys`: what rows without a key mean.
std::optional<Batch> batch_of(std::string_view action, Node const& value, Script const& script,
                              std::vector<std::string> const& keys);

// Beam's `windowfn: Sessions(5)`, `trigger_fn: AfterWatermark(early=..)` .. as a `windowing` map.
Node beam_windowing(Node const& document);

}  // namespace windrow::transcript
