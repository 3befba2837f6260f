// Windows of messages in one arena, indexed together and read one by one: plain ones by a fast
// walk, all others by On-Demand, each by itself (performance.md 2.1, 2.2).
#include "ingest/json_decoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "host/model/portable.hpp"
#include "ingest/json_plain.hpp"
#include "ingest/json_row.hpp"

namespace windrow {
namespace {

using json::Finding;
using json::Read;

constexpr std::size_t window_bytes = 256U << 10U, window_messages = 2048;
// Readable bytes of the arena before the first message and behind the last.
constexpr std::size_t front_bytes = 16, padding = simdjson::SIMDJSON_PADDING;
// A window that cannot be indexed is halved until the bad message stands with few others.
constexpr std::size_t alone_max = 8;
constexpr std::size_t prefetch_ahead = 8;
constexpr std::size_t quoted_bytes_max = 40;  // of a value, in a message

// One message or line: its bytes in the batch, and in the arena.
struct Piece {
  std::string_view bytes;
  std::uint32_t record = 0, line = 0;
  std::string_view text = {};  // in the arena, without white space around
};

struct Reason {
  Fault fault = Fault::bad_json;
  std::string message;
};

Reason reason_of(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return {Fault::bad_utf8, "invalid UTF-8"};
    case simdjson::DEPTH_ERROR:
      return {Fault::too_deep, "nested too deeply"};
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC:
      return {Fault::too_large, "record too large to parse"};
    case simdjson::EMPTY:
      return {Fault::bad_json, "empty record"};
    case simdjson::UNCLOSED_STRING:
      return {Fault::bad_json, "a string is not closed"};
    case simdjson::UNESCAPED_CHARS:
      return {Fault::bad_json, "a control character in a string"};
    default:
      return {Fault::bad_json, "not well-formed JSON"};
  }
}

Reason reason_of(Finding const& finding) {
  auto [fault, words] = [&]() -> std::pair<Fault, char const*> {
    switch (finding.read) {
      case Read::missing:
        return {Fault::missing_field, "a required field is missing or null"};
      case Read::wrong_type:
        return {Fault::wrong_type, "a field has another type"};
      case Read::integer_overflow:
        return {Fault::integer_overflow, "an integer is beyond 64 bits"};
      case Read::number_overflow:
        return {Fault::wrong_type, "a number is beyond binary64"};
      case Read::too_deep:
        return {Fault::too_deep, "nested too deeply"};
      case Read::bad_timestamp:
        return {Fault::bad_timestamp, "the time field is no time"};
      default:
        return {Fault::bad_json, "not well-formed JSON"};
    }
  }();
  std::string message = words;
  if (!finding.field.empty()) {
    message += fmt::format(": field={}", finding.field);
  }
  if (!finding.value.empty()) {
    std::string_view value = finding.value;
    if (value.size() > quoted_bytes_max) {
      std::size_t cut = quoted_bytes_max;  // not inside a character
      while (cut > 0 && (static_cast<unsigned char>(value[cut]) & 0xc0U) == 0x80U) {
        --cut;
      }
      value = value.substr(0, cut);
    }
    while (!value.empty() && static_cast<unsigned char>(value.back()) <= ' ') {
      value.remove_suffix(1);
    }
    message += fmt::format(" value={}", value);
  }
  return {fault, std::move(message)};
}

bool at_end(simdjson::ondemand::document& document) {
  char const* rest = nullptr;
  return document.current_location().get(rest) != simdjson::SUCCESS;
}

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string_view trim(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) {
    text.remove_prefix(3);
  }
  while (!text.empty() && is_space(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_space(text.back())) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

struct JsonDecoder::Impl {
  explicit Impl(JsonDecoderOptions given)
      : options(std::move(given)),
        plain(options.schema, options.event_time, window_messages, window_bytes),
        row(options.schema, options.event_time),
        arena(std::make_unique<char[]>(front_bytes + window_bytes + padding)) {
    pieces.reserve(window_messages);
    bool const payload =
        options.format == PayloadFormat::raw || options.format == PayloadFormat::string;
    if (payload) {
      WINDROW_ASSERT(options.schema.fields.size() == 1 &&
                         is_text(options.schema.fields[0].type.kind) && !options.event_time,
                     "a raw payload is one field without a time of its own");
    }
  }

  void payload(std::uint32_t index);
  void add(std::string_view bytes, std::uint32_t record, std::uint32_t line);
  void flush();
  void read(std::size_t first, std::size_t end);
  void take_plain();
  void alone(Piece const& piece, std::string_view text, simdjson::ondemand::parser& with);
  void large(Piece const& piece, std::string_view text);
  [[nodiscard]] Reason no_object(std::string_view text);
  void take(Piece const& piece, Finding const& finding);
  void reject(Piece const& piece, Reason reason);

  JsonDecoderOptions options;
  json::PlainReader plain;
  json::RowReader row;
  simdjson::ondemand::parser parser;  // of one message at a time
  std::unique_ptr<char[]> arena;
  std::size_t used = 0;       // of it, without the front
  std::vector<Piece> pieces;  // in the arena, `\n` behind each
  RawBatch const* batch = nullptr;
  DecodedChunk* out = nullptr;
};

// Takes a row that was read, or sets the message aside.
void JsonDecoder::Impl::take(Piece const& piece, Finding const& finding) {
  if (finding.read != Read::ok) [[unlikely]] {
    return reject(piece, reason_of(finding));
  }
  EventTime const time = options.event_time ? row.time() : batch->records[piece.record].time;
  if (!is_valid(time)) [[unlikely]] {
    return reject(piece, {Fault::bad_timestamp,
                          fmt::format("the record's time is out of range: us={}", time.us)});
  }
  std::vector<Column>& columns = out->rows.columns;
  std::vector<Scalar> const& cells = row.cells();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Scalar const& cell = cells[i];
    switch (cell.kind) {
      case Scalar::Kind::null:
        columns[i].append_null();
        break;
      case Scalar::Kind::boolean:
        columns[i].append(cell.boolean);
        break;
      case Scalar::Kind::integer:
        columns[i].append(cell.integer);
        break;
      case Scalar::Kind::number:
        columns[i].append(cell.number);
        break;
      default:
        columns[i].append_text(cell.text);
    }
  }
  out->rows.event_time.push_back(time);
  out->rows.origin.push_back(piece.record);
}

void JsonDecoder::Impl::reject(Piece const& piece, Reason reason) {
  out->rejected.push_back(
      {piece.record, piece.line, reason.fault, std::move(reason.message), piece.bytes});
}

void JsonDecoder::Impl::payload(std::uint32_t index) {
  RawRecord const& record = batch->records[index];
  Piece const piece{{record.data, record.bytes}, index};
  Field const& field = options.schema.fields[0];
  bool const null = record.data == nullptr;
  if (null && !field.nullable) {
    return reject(piece, reason_of(Finding{Read::missing, field.name, {}}));
  }
  if (!null && options.format == PayloadFormat::string &&
      !simdjson::validate_utf8(record.data, record.bytes)) {
    return reject(piece, reason_of(simdjson::UTF8_ERROR));
  }
  if (!is_valid(record.time)) {
    return reject(piece, {Fault::bad_timestamp,
                          fmt::format("the record's time is out of range: us={}", record.time.us)});
  }
  if (null) {
    out->rows.columns[0].append_null();
  } else {
    out->rows.columns[0].append_text(piece.bytes);
  }
  out->rows.event_time.push_back(record.time);
  out->rows.origin.push_back(index);
}

void JsonDecoder::Impl::add(std::string_view bytes, std::uint32_t record, std::uint32_t line) {
  std::string_view const text = trim(bytes);
  if (text.empty()) {
    if (options.format == PayloadFormat::json) {
      reject({bytes, record, line}, reason_of(simdjson::EMPTY));
    }
    return;
  }
  if (text.size() >= window_bytes) [[unlikely]] {
    return large({bytes, record, line}, text);
  }
  if (used + text.size() >= window_bytes || pieces.size() == window_messages) {
    flush();
  }
  char* const at = arena.get() + front_bytes + used;
  std::memcpy(at, text.data(), text.size());
  at[text.size()] = '\n';
  used += text.size() + 1;
  Piece& piece = pieces.emplace_back();  // in place: a copy of what was just written would wait
  piece.bytes = bytes;
  piece.text = {at, text.size()};
  piece.record = record;
  piece.line = line;
}

// A message larger than a window gets memory of its own, which a parser would keep for ever.
void JsonDecoder::Impl::large(Piece const& piece, std::string_view text) {
  if (text.size() > record_bytes_max) {
    return reject(piece, {Fault::too_large, fmt::format("record longer than {} bytes: bytes={}",
                                                        record_bytes_max, text.size())});
  }
  flush();
  std::string copy(text);
  copy.append(padding, '\n');
  simdjson::ondemand::parser own;
  alone(piece, std::string_view(copy).substr(0, text.size()), own);
}

void JsonDecoder::Impl::flush() {
  if (options.validate_full) {
    for (Piece const& piece : pieces) {
      alone(piece, piece.text, parser);
    }
  } else if (!pieces.empty()) {
    read(0, pieces.size());
    take_plain();
    plain.settle();
  }
  pieces.clear();
  used = 0;
}

void JsonDecoder::Impl::read(std::size_t first, std::size_t end) {
  char const* const begin = pieces[first].text.data();
  std::string_view const last = pieces[end - 1].text;
  if (!plain.open({begin, static_cast<std::size_t>(last.data() + last.size() - begin)})) {
    if (end - first > alone_max) {
      std::size_t const middle = first + (end - first) / 2;
      read(first, middle);
      return read(middle, end);
    }
    take_plain();
    for (std::size_t i = first; i < end; ++i) {
      alone(pieces[i], pieces[i].text, parser);
    }
    return;
  }
  for (std::size_t i = first; i < end; ++i) {
    Piece const& piece = pieces[i];
    EventTime const time = options.event_time ? T_MIN : batch->records[piece.record].time;
    auto const behind = static_cast<std::size_t>(piece.text.data() + piece.text.size() - begin);
    if (!plain.read(behind, piece.record, time)) {
      take_plain();
      alone(piece, piece.text, parser);
    }
  }
}

// Rows are in the order of the records: before any other row come the plain ones read so far.
void JsonDecoder::Impl::take_plain() {
  if (plain.rows() > 0) {
    plain.take(out->rows);
  }
}

// What stands where an object should: another sound value, or noise.
Reason JsonDecoder::Impl::no_object(std::string_view text) {
  std::string const list = fmt::format("[{}]{}", text, std::string(padding, '\n'));
  simdjson::padded_string_view const padded(list.data(), text.size() + 2, list.size());
  simdjson::ondemand::document document;
  simdjson::ondemand::array array;
  std::size_t count = 0;
  simdjson::error_code error = parser.iterate(padded).get(document);
  if (error == simdjson::SUCCESS) {
    error = document.get_array().get(array);
  }
  if (error != simdjson::SUCCESS) {
    return reason_of(error);
  }
  Read const read = json::validate_array(array, 0, count);
  if (read != Read::ok || count != 1 || !at_end(document)) {
    return reason_of(Finding{read == Read::too_deep ? read : Read::broken, {}, {}});
  }
  return {Fault::wrong_type, "the record is not an object"};
}

// Reads one message by itself; `text` has padding behind it.
void JsonDecoder::Impl::alone(Piece const& piece, std::string_view text,
                              simdjson::ondemand::parser& with) {
  if (text.front() != '{') {
    return reject(piece, no_object(text));
  }
  simdjson::padded_string_view const padded(text.data(), text.size(), text.size() + padding);
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  for (bool const whole : {true, false}) {
    if (whole && !options.validate_full) {
      continue;
    }
    simdjson::error_code error = with.iterate(padded).get(document);
    if (error == simdjson::SUCCESS) {
      error = document.get_object().get(object);
    }
    if (error != simdjson::SUCCESS) {
      return reject(piece, reason_of(error));
    }
    Finding finding;
    if (whole) {
      finding.read = json::validate_object(object, 0);
    } else {
      finding = row.read(object);
    }
    if (finding.read != Read::broken && finding.read != Read::too_deep && !at_end(document)) {
      return reject(piece, {Fault::bad_json, "more than one value in a record"});
    }
    if (!whole || finding.read != Read::ok) {
      return take(piece, finding);
    }
  }
}

JsonDecoder::JsonDecoder(JsonDecoderOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
JsonDecoder::~JsonDecoder() = default;

void JsonDecoder::decode(RawBatch const& batch, std::size_t first, std::size_t count,
                         DecodedChunk& out) {
  WINDROW_ASSERT(first <= batch.records.size() && count <= batch.records.size() - first,
                 "the records are part of the batch");
  out.rows.reset(impl_->options.schema);
  out.rejected.clear();
  impl_->batch = &batch;
  impl_->out = &out;
  for (std::size_t i = first; i < first + count; ++i) {
    RawRecord const& record = batch.records[i];
    if (i + prefetch_ahead < first + count) {  // records lie where their source got memory
      char const* const ahead = batch.records[i + prefetch_ahead].data;
      __builtin_prefetch(ahead);
      __builtin_prefetch(ahead + 64);
    }
    std::string_view rest(record.data, record.bytes);
    auto const index = static_cast<std::uint32_t>(i);
    switch (impl_->options.format) {
      case PayloadFormat::raw:
      case PayloadFormat::string:
        impl_->payload(index);
        break;
      case PayloadFormat::json:
        impl_->add(rest, index, 0);
        break;
      case PayloadFormat::ndjson:
        for (std::uint32_t line = 0; !rest.empty(); ++line) {
          std::size_t const end = std::min(rest.find('\n'), rest.size());
          impl_->add(rest.substr(0, end), index, line);
          rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }
  }
  impl_->flush();
  // Lines that never reached the arena were set aside ahead of their turn.
  std::sort(out.rejected.begin(), out.rejected.end(), [](auto const& a, auto const& b) {
    return std::pair(a.record, a.line) < std::pair(b.record, b.line);
  });
  out.read = out.rows.rows() + out.rejected.size();
}

}  // namespace windrow
