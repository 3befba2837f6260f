// How the tables of keys are written down, and the keys that several transforms share.
#pragma once
#include <array>

#include "host/plan/key_table.hpp"

namespace windrow::key_forms {

using enum KeyType;
inline constexpr bool W = true, beam = false;

constexpr KeySpec required(std::string_view name, KeyType type, std::string_view meaning) {
  return {.name = name, .type = type, .fallback = required_key, .meaning = meaning};
}
constexpr KeySpec choice_of(std::string_view name, std::string_view fallback, bool windrow,
                            std::string_view choices, std::string_view meaning,
                            std::string_view later = {}) {
  return {.name = name,
          .type = choice,
          .fallback = fallback,
          .windrow = windrow,
          .meaning = meaning,
          .choices = choices,
          .later = later};
}
constexpr KeySpec later(std::string_view name, KeyType type, bool windrow, std::string_view meaning,
                        std::string_view fallback = {}) {
  return {.name = name,
          .type = type,
          .fallback = fallback,
          .windrow = windrow,
          .meaning = meaning,
          .built = false};
}

// Keys of one transform and those that it shares with others.
template <std::size_t N, std::size_t M>
constexpr std::array<KeySpec, N + M> joined(KeySpec const (&own)[N], KeySpec const (&shared)[M]) {
  std::array<KeySpec, N + M> out{};
  for (std::size_t i = 0; i < N; ++i) {
    out[i] = own[i];
  }
  for (std::size_t i = 0; i < M; ++i) {
    out[N + i] = shared[i];
  }
  return out;
}
constexpr TransformSpec coming(std::string_view type, bool windrow = false) {
  return {.type = type, .windrow = windrow, .built = false};
}

inline constexpr KeySpec event_time_table[] = {
    required("field", text, "the field that holds the event time"),
    {.name = "unit",
     .type = choice,
     .fallback = required_key,
     .meaning = "what its numbers count, or rfc3339 for text",
     .choices = "s ms us ns rfc3339"},
};
inline constexpr KeySpec watermark_table[] = {
    {"max_out_of_orderness", duration, "0s", W,
     "how far behind the newest row of its partition a row may come without being late"},
    {"idle_timeout", duration_or_none, "60s", W,
     "a partition that is read to its end and gives nothing for so long holds nothing back"},
    choice_of("all_idle", "hold", W, "hold clock",
              "what the watermark does when all partitions are idle"),
    {"max_future_skew", duration_or_none, "1h if unbounded, none if bounded", W,
     "how far ahead of the clock a row may be stamped"},
    choice_of("on_future", "dead_letter", W, "dead_letter clamp",
              "what becomes of rows beyond that"),
};
inline constexpr KeySpec error_handling_table[] = {
    {.name = "output",
     .type = text,
     .fallback = required_key,
     .meaning = "name of the output that gets the rows set aside: read it as `Name.output`"},
};

inline constexpr KeySpec rows{.name = "error_handling",
                              .type = structure,
                              .fallback = "none",
                              .meaning = "gives rows that are set aside an output of their own",
                              .inner = error_handling_table};
inline constexpr KeySpec event_time{.name = "event_time",
                                    .type = structure,
                                    .fallback = "the record's own time",
                                    .windrow = W,
                                    .meaning = "which field is the event time",
                                    .inner = event_time_table};
inline constexpr KeySpec watermark{.name = "watermark",
                                   .type = structure,
                                   .fallback = "none",
                                   .windrow = W,
                                   .meaning = "how the watermark follows the rows",
                                   .inner = watermark_table};
}  // namespace windrow::key_forms
