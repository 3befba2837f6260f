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

// Reads rows of one schema.  We walk over the object's fields and do not look each wanted field up
// (find_field): that costs the same when the order is as learnt, and only a walk lets the first of
// duplicate keys win whatever order other records had.
class RowReader {
 public:
  RowReader(Schema const& schema, std::optional<JsonDecoderOptions::TimeField> const& time);

  // Reads the object to its end.  When `read` is ok, cells() and time() are its row until the next
  // call; texts borrow from the document and its parser.
  [[nodiscard]] Finding read(ondemand::object& object);

  [[nodiscard]] std::vector<Scalar> const& cells() const { return cells_; }
  // The event time, if the options name its field.
  [[nodiscard]] EventTime time() const { return time_; }
  // Readable bytes that must follow a document, because keys are compared in place.
  [[nodiscard]] std::size_t padding() const { return padding_; }
  // Between batches: learns the order anew if more than 1 % of the fields stood elsewhere.
  void settle();

 private:
  struct Wanted {
    Field field;
    bool column = true;  // false: read for the event time only
    bool time = false;
  };
  struct Learnt {
    std::string key;
    int wanted = -1;  // -1: not read
  };
  static constexpr std::size_t learnt_keys_max = 1024, learnt_key_bytes_max = 64;
  static constexpr int broken_key = -2;

  [[nodiscard]] int find(ondemand::field& field, char const* key);
  [[nodiscard]] int position_of(std::string_view key) const;
  [[nodiscard]] Read read_time(ondemand::value& value, Wanted const& wanted, Scalar& cell);
  [[nodiscard]] Finding fill_missing(Finding finding);

  std::vector<Wanted> wanted_;
  std::optional<TimeUnit> unit_;
  std::vector<Learnt> order_;         // keys as one document had them
  std::size_t next_ = 0;              // into order_: the key expected next
  std::vector<Scalar> cells_;         // one per wanted field
  std::vector<std::string> buffers_;  // of encoded values, one per wanted field
  std::vector<std::uint64_t> seen_;   // number of the last row that had the field
  std::uint64_t row_ = 0, fields_ = 0, elsewhere_ = 0;
  bool learning_ = true;
  std::size_t padding_ = simdjson::SIMDJSON_PADDING;
  EventTime time_ = T_MIN;
};

}  // namespace windrow::json
