// Who watches a pipeline: tests, the live view, logs.  Called on the control thread only.
#pragma once
#include <optional>
#include <string_view>

#include "host/engine/batch.hpp"
#include "host/engine/key_dictionary.hpp"
#include "host/engine/source.hpp"
#include "host/plan/graph.hpp"

namespace windrow {

// What every row of one batch shares.  `drained_after`: the W of the step before a drain (R71).
struct BatchStamp {
  std::int64_t batch_no = 0, pane_version = 0;
  ProcessingTime processing_time;
  std::optional<Watermark> drained_after;
  // Is the pane of this window partial because of the drain?
  [[nodiscard]] bool is_drained(Window window) const {
    return drained_after && window.end > *drained_after;
  }
};

// Panes and tombstones of one step and batch in R17's order.
//   rows  columns as the Combine's output schema: group fields, then aggregates (null in a
//   tombstone) key   [rows] key ids, `key_bytes` names them
struct PanesView {
  std::size_t transform = 0;
  BatchStamp stamp;
  EventBatchView rows;
  std::span<KeyId const> key;
  KeyDictionary const* keys = nullptr;
  [[nodiscard]] std::string_view key_bytes(std::size_t row) const {
    return keys->bytes_of(key[row]);
  }
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_panes(PanesView const&) {}
  // A line of LogForTesting.
  virtual void on_log(LogForTesting::Level, std::string_view) {}
  // What only rows can show of the pipeline file: at which transform, and a code of codes.hpp.
  virtual void on_warning(std::size_t /*transform*/, std::string_view /*code*/,
                          std::string_view /*text*/) {}
  // Something was set aside: at which transform, why, and of what (JSON of the row, or raw bytes).
  virtual void on_set_aside(std::size_t /*transform*/, std::string_view /*reason*/,
                            std::string_view /*message*/, std::string_view /*element*/) {}
  // Is anybody listening to on_set_aside?  Else its texts are not made.
  [[nodiscard]] virtual bool wants_set_aside() const { return false; }
  // The loop waits for a sink or for memory, or goes on again (empty).
  virtual void on_pause(std::string_view /*reason*/) {}
};

}  // namespace windrow
