// The only place where time is read; everything else gets it from the batch plan (R17, R90).
#pragma once
#include <cstdint>

#include "host/model/time.hpp"

namespace windrow {

class Clock {
 public:
  virtual ~Clock() = default;
  // P: max(wall at start, P of the snapshot) + clock_rate x monotonic time since start.
  [[nodiscard]] virtual ProcessingTime processing_time() = 0;
  // Real time, for pane_version.
  [[nodiscard]] virtual std::int64_t real_time_us() = 0;
};

}  // namespace windrow
