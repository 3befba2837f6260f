// One JSON object -> the fields of one row, in one walk over the document.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/json_decoder.hpp"
#include "ingest/json_value.hpp"

namespace windrow::json {

// Why a row was refused: the first field that is not what the schema says.  `value` borrows from
// the document.  After Read::broken the document must not be used any more.
struct Finding {
  Read read = Read::ok;
  std::string_view field, value;
};

// Reads rows of one schema, whatever they hold; what is simple, json_plain.hpp reads.  We walk over
// the object's fields and do not look each wanted field up (find_field): only a walk lets the first
// of duplicate keys win.
class RowReader {
 public:
  RowReader(Schema const& schema, std::optional<JsonDecoderOptions::TimeField> const& time);

  // Reads the object to its end.  When `read` is ok, cells() and time() are its row until the next
  // call; texts borrow from the document and its parser.
  [[nodiscard]] Finding read(ondemand::object& object);

  [[nodiscard]] std::vector<Scalar> const& cells() const { return cells_; }
  // The event time, if the options name its field.
  [[nodiscard]] EventTime time() const { return time_; }

 private:
  struct Wanted {
    Field field;
    bool column = true;  // false: read for the event time only
    bool time = false;
  };
  static constexpr std::size_t not_wanted = SIZE_MAX;

  [[nodiscard]] std::size_t position_of(std::string_view key) const;
  [[nodiscard]] Read read_time(ondemand::value& value, Wanted const& wanted, Scalar& cell);
  [[nodiscard]] Finding fill_missing(Finding finding);

  std::vector<Wanted> wanted_;
  std::optional<TimeUnit> unit_;
  std::vector<Scalar> cells_;         // one per wanted field
  std::vector<std::string> buffers_;  // of encoded values, one per wanted field
  std::vector<std::uint64_t> seen_;   // number of the last row that had the field
  std::uint64_t row_ = 0;
  EventTime time_ = T_MIN;
};

}  // namespace windrow::json
