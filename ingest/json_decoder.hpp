// JSON, text or raw payloads -> columns of a source's schema (performance.md 2).
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "host/engine/source.hpp"
#include "host/model/stamp.hpp"

namespace windrow {

// What the records are.
//   raw     one bytes field takes the payload as it is; string  the same, UTF-8 checked
//   json    one object per record;  ndjson  one object per line of a record, empty lines skipped
enum class PayloadFormat : std::uint8_t { raw, string, json, ndjson };

struct JsonDecoderOptions {
  Schema schema;
  PayloadFormat format = PayloadFormat::json;
  // The top-level field that holds the event time; it need not be in the schema.  A null, missing
  // or unparsable one is `bad_timestamp` (R91).  Without it rows have their record's time.
  struct TimeField {
    std::string field;
    TimeUnit unit = TimeUnit::ms;
  };
  std::optional<TimeField> event_time;
  bool validate_full = false;  // else values outside the schema are skipped by their brackets only
};

// Longer records are `too_large`: a cell's offsets and simdjson's indexes have 32 bits.
inline constexpr std::uint32_t record_bytes_max = 128U << 20U;

// Whether a record is taken, and as what, depends on its own bytes only, never on its neighbours.
//
//   null or missing      null where the field is nullable, else `missing_field`
//   integer              JSON integers within int64; beyond it `integer_overflow`, 1.0 is
//   `wrong_type` number               every JSON number; also the strings "NaN", "Infinity",
//   "-Infinity", as they
//                        are written; 1e400 is `wrong_type`
//   string               strings, and integers of any size as their digits
//   bytes                strings in base64
//   list, structure      one encoded value per cell, at most value_depth_max deep, else `too_deep`;
//                        with children in the schema these are checked and, in a structure, the
//                        only ones kept, in the schema's order; without, an integer beyond int64 is
//                        refused
//   duplicate keys       the first wins; keys are compared after unescaping
//   a byte order mark before a record is skipped; NUL, control characters in strings, lone
//   surrogates and bad UTF-8 are set aside
class JsonDecoder : public Decoder {
 public:
  explicit JsonDecoder(JsonDecoderOptions options);
  ~JsonDecoder() override;
  void decode(RawBatch const& batch, std::size_t first, std::size_t count,
              DecodedChunk& out) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow
