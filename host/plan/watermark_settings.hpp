// Settings M of semantics.md 16.3: how the watermark of a source follows its rows.
#pragma once
#include <cstdint>
#include <optional>

#include "host/model/time.hpp"

namespace windrow {

struct WatermarkSettings {
  Duration max_out_of_orderness;
  std::optional<Duration> idle_timeout = Duration{60'000'000};  // none: never idle
  enum class AllIdle : std::uint8_t { hold, clock } all_idle = AllIdle::hold;
  std::optional<Duration> max_future_skew = Duration{3'600'000'000};  // none: no limit
  enum class OnFuture : std::uint8_t { dead_letter, clamp } on_future = OnFuture::dead_letter;
};

}  // namespace windrow
