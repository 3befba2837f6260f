// Where the values of JSON text begin: simdjson's first stage over a whole window at once.
#pragma once
#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace windrow::json {

// simdjson has this interface for its own parsers and may change it: look here before building
// against another version than Debian's.
static_assert(simdjson::SIMDJSON_VERSION_MAJOR == 3);

class StructuralIndex {
 public:
  explicit StructuralIndex(std::size_t bytes_max);

  // SIMDJSON_PADDING bytes behind `text` are readable.  False if somewhere in it is bad UTF-8, a
  // control character in a string or a string that is not closed.
  [[nodiscard]] bool build(std::string_view text);
  // Ascending offsets of `{ } [ ] : ,` outside strings and of the first byte of each string and
  // scalar; the size of the text four times behind the last.
  [[nodiscard]] std::uint32_t const* begin() const { return stage_->structural_indexes.get(); }

  // Writes the characters of the string whose first one is at `text`, its end a quote, to `out`:
  // never more than the escapes take, but up to SIMDJSON_PADDING bytes behind are overwritten.
  // Returns the end, nullptr if an escape is wrong.
  [[nodiscard]] char* unescape(char const* text, char* out) const;

 private:
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage_;
};

}  // namespace windrow::json
