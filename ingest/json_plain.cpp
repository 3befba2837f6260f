// The walk over plain records: every token looked at once, and nothing decided twice.
#include "ingest/json_plain.hpp"

#include <algorithm>

#include "host/model/portable.hpp"
#include "ingest/json_token.hpp"

namespace windrow::json {
namespace {

WINDROW_ALWAYS_INLINE bool is_space(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// The text of a value that begins at `from`; the next structural is at `to`.  Empty only where both
// are the end of the window.
WINDROW_ALWAYS_INLINE std::string_view token_between(char const* from, char const* to) {
  while (is_space(to[-1]) && to > from) [[unlikely]] {
      --to;
    }
  return {from, static_cast<std::size_t>(to - from)};
}

// Goes behind a list or structure by its brackets; `end` is that of the record.
bool skip_brackets(char const* text, std::uint32_t const*& at, std::size_t end) {
  std::size_t depth = 0;
  do {
    char const c = text[*at++];
    depth += static_cast<std::size_t>(c == '{' || c == '[');
    depth -= static_cast<std::size_t>(c == '}' || c == ']');
  } while (depth > 0 && *at < end);
  return depth == 0;
}

WINDROW_ALWAYS_INLINE bool is_bracket(char c) { return c == '{' || c == '['; }

// What cannot begin a value, though it is in the index.
WINDROW_ALWAYS_INLINE bool is_between_values(char c) {
  return c == '}' || c == ']' || c == ',' || c == ':';
}

}  // namespace

PlainReader::PlainReader(Schema const& schema,
                         std::optional<JsonDecoderOptions::TimeField> const& time,
                         std::size_t rows_max, std::size_t bytes_max)
    : index_(bytes_max),
      times_(rows_max),
      origins_(rows_max),
      // `unescape` writes beyond the end of its text, never beyond that of the record as it came.
      unescaped_(std::make_unique<char[]>(bytes_max + simdjson::SIMDJSON_PADDING)),
      unescaped_end_(unescaped_.get()) {
  keys_.reserve(keys_max);
  for (Field const& field : schema.fields) {
    wanted_.emplace_back().field = field;
  }
  if (time) {
    unit_ = time->unit;
    if (auto const index = schema.index_of(time->field)) {
      wanted_[*index].time = true;
    } else {
      Wanted& wanted = wanted_.emplace_back();
      wanted.field = {time->field, {}, true};
      wanted.column = false;
      wanted.time = true;
    }
  }
  for (Wanted& wanted : wanted_) {
    ValueType const kind = wanted.field.type.kind;
    if (!is_text(kind)) {
      wanted.words.resize(rows_max);
      continue;
    }
    wanted.texts.resize(rows_max);
    if (kind != ValueType::string) {
      wanted.places.resize(rows_max);
    }
  }
}

WINDROW_ALWAYS_INLINE bool PlainReader::is_key(Key const& key, char const* at) {
  std::uint64_t const differs = ((eight_bytes(at) ^ key.word[0]) & key.mask[0]) |
                                ((eight_bytes(at + 8) ^ key.word[1]) & key.mask[1]);
  return differs == 0 && (key.token.size() <= 16 ||
                          std::memcmp(at + 16, key.token.data() + 16, key.token.size() - 16) == 0);
}

bool PlainReader::open(std::string_view text) {
  if (!index_.build(text)) {
    return false;
  }
  text_ = text;
  at_ = index_.begin();
  escape_ = text.find('\\');
  return true;
}

bool PlainReader::read(std::size_t end, std::uint32_t origin, EventTime time) {
  record_ += 1;
  next_ = keys_.data();
  if (escape_ < *at_) [[unlikely]] {
    escape_ = text_.find('\\', *at_);
  }
  escapes_ = escape_ < end;
  times_[rows_] = time;
  origins_[rows_] = origin;
  if ((unit_ || is_valid(time)) && walk(end)) [[likely]] {
    rows_ += 1;
    return true;
  }
  while (*at_ < end) {
    ++at_;
  }
  for (Wanted& wanted : wanted_) {
    if (!wanted.nulls.empty() && wanted.nulls.back() == rows_) {
      wanted.nulls.pop_back();
    }
  }
  return false;
}

// Every offset is judged by what stands there.  Where the window ends too early this is the `\n`
// behind it, which is nothing that we look for.
WINDROW_ALWAYS_INLINE bool PlainReader::walk(std::size_t end) {
  char const* const text = text_.data();
  std::uint32_t const* at = at_;
  if (text[*at] != '{') {
    return false;
  }
  std::size_t met = 0;
  if (text[at[1]] == '}') {
    ++at;
  } else {
    do {  // at[0] `{` or `,`; at[1] key; at[2] `:`; at[3] value; at[4] `,` or `}`
      char const* const key = text + at[1];
      char const* const value = text + at[3];
      if (text[at[2]] != ':') {
        return false;
      }
      Wanted* wanted = nullptr;
      if (next_ != keys_.data() + keys_.size() && is_key(*next_, key)) [[likely]] {
        wanted = (next_++)->wanted;
      } else if (!find(key, text + at[2], wanted)) {
        return false;
      }
      fields_ += 1;
      at += 4;
      if (is_bracket(*value) && !skip_brackets(text, at -= 1, end)) {
        return false;
      }
      if (wanted != nullptr && wanted->seen != record_) {
        wanted->seen = record_;
        met += 1;
        std::string_view const token = token_between(value, text + *at);
        if (token.empty() || !read_cell(token, *wanted)) [[unlikely]] {
          return false;
        }
      } else if (is_between_values(*value)) {
        return false;
      }
    } while (text[*at] == ',');
  }
  if (text[*at] != '}' || *at >= end || at[1] < end) {
    return false;
  }
  at_ = at + 1;
  if (met < wanted_.size()) {
    for (Wanted& wanted : wanted_) {
      if (wanted.seen == record_) {
        continue;
      }
      if (wanted.time || !wanted.field.nullable) {
        return false;
      }
      wanted.nulls.push_back(static_cast<std::uint32_t>(rows_));
    }
  }
  return true;
}

// A key that is not the expected one: behind an optional field that is absent, of another order, or
// new.
bool PlainReader::find(char const* at, char const* colon, Wanted*& wanted) {
  elsewhere_ += 1;
  for (Key const& key : keys_) {
    if (is_key(key, at)) {
      next_ = &key + 1;
      wanted = key.wanted;
      return true;
    }
  }
  std::string_view const token = token_between(at, colon);
  if (token[0] != '"' || token.size() < 2 || token.back() != '"' ||
      token.find('\\') != std::string_view::npos) {
    return false;
  }
  auto const found = std::find_if(wanted_.begin(), wanted_.end(), [&](Wanted const& w) {
    return w.field.name == token.substr(1, token.size() - 2);
  });
  wanted = found == wanted_.end() ? nullptr : &*found;
  if (keys_.size() < keys_max) {
    Key& key = keys_.emplace_back();
    key.wanted = wanted;
    key.token = token;
    char first[16] = {};
    std::size_t const n = std::min(token.size(), sizeof first);
    std::copy_n(token.begin(), n, first);
    for (std::size_t i = 0; i < 2; ++i) {
      key.word[i] = eight_bytes(first + 8 * i);
      key.mask[i] = n >= 8 * i + 8 ? ~std::uint64_t{0}
                    : n <= 8 * i   ? 0
                                   : (std::uint64_t{1} << (8 * (n % 8))) - 1;
    }
    next_ = &key + 1;
  }
  return true;
}

WINDROW_ALWAYS_INLINE bool PlainReader::read_cell(std::string_view token, Wanted& wanted) {
  bool read = false;
  if (wanted.time) {
    return read_time(token, wanted);
  }
  switch (wanted.field.type.kind) {
    case ValueType::integer:
      read = read_integer(token, wanted.words[rows_]);
      break;
    case ValueType::string:
      read = read_text(token, wanted.texts[rows_]);
      break;
    case ValueType::number: {
      double number = 0;
      read = read_number(token, number);
      wanted.words[rows_] = std::bit_cast<std::int64_t>(number);
      break;
    }
    case ValueType::boolean:
      read = token == "true" || token == "false";
      wanted.words[rows_] = static_cast<std::int64_t>(token.size() == 4);
      break;
    case ValueType::bytes:
    case ValueType::list:
    case ValueType::structure:
      read = read_encoded(token, wanted);
      break;
  }
  if (!read && token == "null" && wanted.field.nullable) {
    wanted.nulls.push_back(static_cast<std::uint32_t>(rows_));
    return true;
  }
  return read;
}

// A string, or an integer of any size as its digits.
WINDROW_ALWAYS_INLINE bool PlainReader::read_text(std::string_view token, std::string_view& out) {
  if (token[0] != '"') [[unlikely]] {
    out = token;
    return number_form(token) == NumberForm::integer;
  }
  if (token.size() < 2 || token.back() != '"') {
    return false;
  }
  out = token.substr(1, token.size() - 2);
  if (!escapes_ || std::memchr(out.data(), '\\', out.size()) == nullptr) [[likely]] {
    return true;
  }
  char* const end = index_.unescape(out.data(), unescaped_end_);
  if (end == nullptr) {
    return false;
  }
  out = {unescaped_end_, static_cast<std::size_t>(end - unescaped_end_)};
  unescaped_end_ = end;
  return true;
}

// What has another form in its cell than in the record.
bool PlainReader::read_encoded(std::string_view token, Wanted& wanted) {
  std::size_t const at = wanted.encoded.size();
  if (wanted.field.type.kind == ValueType::bytes) {
    std::string_view text;
    if (token[0] != '"' || !read_text(token, text) || !append_base64(text, wanted.encoded)) {
      return false;
    }
  } else {
    simdjson::padded_string_view const padded(token.data(), token.size(),
                                              token.size() + simdjson::SIMDJSON_PADDING);
    ondemand::document document;
    ondemand::value value;
    char const* rest = nullptr;
    if (!is_bracket(token[0]) || parser_.iterate(padded).get(document) != simdjson::SUCCESS ||
        document.get_value().get(value) != simdjson::SUCCESS ||
        read_container(value, wanted.field.type, container_) != Read::ok ||
        document.current_location().get(rest) == simdjson::SUCCESS) {
      return false;
    }
    wanted.encoded += container_;
  }
  wanted.places[rows_] = {at, wanted.encoded.size() - at};
  return true;
}

// The time by its own form first, so that integers and decimal text are exact, then as its column.
bool PlainReader::read_time(std::string_view token, Wanted& wanted) {
  std::optional<EventTime> time;
  std::int64_t integer = 0;
  double number = 0;
  std::string_view text;
  ValueType form = ValueType::integer;
  if (read_integer(token, integer)) {
    time = stamp_of(integer, *unit_);
  } else if (token[0] == '"') {
    form = ValueType::string;
    if (read_text(token, text)) {
      time = stamp_of(text, *unit_);
    }
  } else if (read_number(token, number)) {
    form = ValueType::number;
    time = stamp_of(number, *unit_);
  }
  if (!time) {
    return false;
  }
  times_[rows_] = *time;
  if (!wanted.column) {
    return true;
  }
  switch (wanted.field.type.kind) {
    case ValueType::integer:
      wanted.words[rows_] = integer;
      return form == ValueType::integer;
    case ValueType::number:
      wanted.words[rows_] = std::bit_cast<std::int64_t>(
          form == ValueType::integer ? static_cast<double>(integer) : number);
      return form != ValueType::string;
    case ValueType::string:
      wanted.texts[rows_] = form == ValueType::string ? text : token;
      return form != ValueType::number;
    default:
      return false;
  }
}

void PlainReader::take(EventBatch& out) {
  auto const rows = static_cast<std::ptrdiff_t>(rows_);
  out.event_time.insert(out.event_time.end(), times_.begin(), times_.begin() + rows);
  out.origin.insert(out.origin.end(), origins_.begin(), origins_.begin() + rows);
  for (std::size_t i = 0; i < out.columns.size(); ++i) {
    Wanted& wanted = wanted_[i];
    Column& column = out.columns[i];
    auto const run = [&](std::size_t first, std::size_t end) {
      for (std::size_t row = first; row < end && !wanted.places.empty(); ++row) {
        wanted.texts[row] = {wanted.encoded.data() + wanted.places[row].at,
                             wanted.places[row].size};
      }
      if (is_text(column.type())) {
        column.append_texts(std::span(wanted.texts).subspan(first, end - first));
      } else {
        column.append_words(std::span(wanted.words).subspan(first, end - first));
      }
    };
    std::size_t first = 0;
    for (std::uint32_t const null : wanted.nulls) {
      run(first, null);
      column.append_null();
      first = null + 1;
    }
    run(first, rows_);
    wanted.nulls.clear();
    wanted.encoded.clear();
  }
  rows_ = 0;
  unescaped_end_ = unescaped_.get();
}

void PlainReader::settle() {
  if (fields_ < 1000) {
    return;
  }
  if (elsewhere_ * 100 > fields_) {
    keys_.clear();
  }
  fields_ = 0;
  elsewhere_ = 0;
}

}  // namespace windrow::json
