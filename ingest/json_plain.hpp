// Plain records -> cells of a window: the fast way for what nearly all records are.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/json_decoder.hpp"
#include "ingest/json_index.hpp"
#include "ingest/json_value.hpp"

namespace windrow::json {

// A record is plain if it is one object whose wanted fields are as the schema says, or null where
// they may, and none of whose keys has an escape.  Whatever else a record is, sound or not, it is
// not read here: json_row.hpp reads it, and says why if it is refused.  So this walk only has to be
// right when it says yes.
//
// It goes over the structural index of a window (performance.md 2.1.7), so that a record cannot
// disturb the next one, and leaves its cells by column, so that columns grow by whole runs.
class PlainReader {
 public:
  PlainReader(Schema const& schema, std::optional<JsonDecoderOptions::TimeField> const& time,
              std::size_t rows_max, std::size_t bytes_max);

  // Begins a window of records, `\n` between them.  False if its text cannot be indexed (bad UTF-8,
  // a control character in a string or an open string in any of them).
  //   text  16 bytes before it and SIMDJSON_PADDING behind are readable, the first behind is `\n`;
  //         it stays until `take`
  [[nodiscard]] bool open(std::string_view text);
  // Goes behind the next record, which ends at offset `end` of the window.  True: it was plain, and
  // is the next row; `time` counts if no field holds the time.
  [[nodiscard]] bool read(std::size_t end, std::uint32_t origin, EventTime time);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  // Moves the rows behind those of `out`.
  void take(EventBatch& out);
  // Between windows: learns the order of the keys anew if more than 1 % stood elsewhere.
  void settle();

 private:
  // Cells by row; a null row's is not set.
  //   words   integers, booleans, bits of numbers
  //   texts   strings, in the window or `unescaped_`
  //   places  of bytes, lists and structures in `encoded`
  struct Wanted {
    Field field;
    bool column = true;  // false: read for the event time only
    bool time = false;
    std::uint64_t seen = 0;  // number of the last record that had the field
    std::vector<std::int64_t> words;
    std::vector<std::string_view> texts;
    struct Place {
      std::size_t at = 0, size = 0;
    };
    std::vector<Place> places;
    std::string encoded;
    std::vector<std::uint32_t> nulls;
  };
  // A key as it stands in the text, its quotes included; the first 16 bytes compare as two words.
  struct Key {
    std::uint64_t word[2] = {}, mask[2] = {};
    Wanted* wanted = nullptr;  // nullptr: not read
    std::string token;
  };
  static constexpr std::size_t keys_max = 64;

  static bool is_key(Key const& key, char const* at);
  // False if the key is not plain, else whose it is.
  [[nodiscard]] bool find(char const* at, char const* colon, Wanted*& wanted);
  [[nodiscard]] bool walk(std::size_t end);
  [[nodiscard]] bool read_cell(std::string_view token, Wanted& wanted);
  [[nodiscard]] bool read_text(std::string_view token, std::string_view& out);
  [[nodiscard]] bool read_encoded(std::string_view token, Wanted& wanted);
  [[nodiscard]] bool read_time(std::string_view token, Wanted& wanted);

  StructuralIndex index_;
  ondemand::parser parser_;            // of lists and structures
  std::string container_;              // the last one
  std::string_view text_;              // of the window
  std::uint32_t const* at_ = nullptr;  // into the index: the next structural
  std::size_t escape_ = 0;             // offset of the first backslash not before the record
  bool escapes_ = false;               // is it in the record?
  std::vector<Wanted> wanted_;         // fixed from the beginning
  std::optional<TimeUnit> unit_;
  std::vector<Key> keys_;      // as one record had them, keys_max at most
  Key const* next_ = nullptr;  // of keys_: the one expected next, or its end
  std::uint64_t record_ = 0, fields_ = 0, elsewhere_ = 0;
  std::size_t rows_ = 0;
  std::vector<EventTime> times_;
  std::vector<std::uint32_t> origins_;
  std::unique_ptr<char[]> unescaped_;  // texts of the window that had escapes
  char* unescaped_end_ = nullptr;
};

}  // namespace windrow::json
