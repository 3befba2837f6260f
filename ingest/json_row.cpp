// The walk over one object: keys by learnt order, values by the schema, the event time by R4 and
// R91.
#include "ingest/json_row.hpp"

#include <algorithm>
#include <utility>

#include "host/model/portable.hpp"

namespace windrow::json {
namespace {

// `key` points behind the opening quote; padding() bytes behind it are readable.
WINDROW_ALWAYS_INLINE bool is_key(char const* key, std::string_view name) {
  return key[name.size()] == '"' && std::memcmp(key, name.data(), name.size()) == 0;
}

// The key up to its closing quote, escapes as they are.
std::string_view raw_key(char const* key) {
  char const* end = key;
  while (*end != '"') {
    end += *end == '\\' ? 2 : 1;
  }
  return {key, static_cast<std::size_t>(end - key)};
}

}  // namespace

RowReader::RowReader(Schema const& schema,
                     std::optional<JsonDecoderOptions::TimeField> const& time) {
  for (Field const& field : schema.fields) {
    wanted_.push_back({field, true, false});
  }
  if (time) {
    unit_ = time->unit;
    if (auto const index = schema.index_of(time->field)) {
      wanted_[*index].time = true;
    } else {
      wanted_.push_back({Field{time->field, {}, true}, false, true});
    }
  }
  for (Wanted const& wanted : wanted_) {
    padding_ = std::max(padding_, wanted.field.name.size() + 1);
  }
  padding_ = std::max(padding_, learnt_key_bytes_max + 1);
  cells_.resize(wanted_.size());
  buffers_.resize(wanted_.size());
  seen_.resize(wanted_.size());
}

Finding RowReader::read(ondemand::object& object) {
  row_ += 1;
  next_ = 0;
  Finding finding;
  std::size_t met = 0;
  for (auto item : object) {
    if (item.error() != simdjson::SUCCESS) [[unlikely]] {
      return {Read::broken, {}, {}};
    }
    ondemand::field&& field =
        std::move(item).value_unsafe();  // in place: a copy costs as much as a number
    char const* const key = field.key().raw();
    fields_ += 1;
    int index = -1;
    if (next_ < order_.size() && is_key(key, order_[next_].key)) [[likely]] {
      index = order_[next_++].wanted;
    } else {
      index = find(field, key);
      if (index == broken_key) [[unlikely]] {
        return {Read::broken, {}, {}};
      }
    }
    if (index < 0) {
      continue;
    }
    auto const i = static_cast<std::size_t>(index);
    if (seen_[i] == row_) [[unlikely]] {
      continue;
    }
    seen_[i] = row_;
    met += 1;
    Wanted const& wanted = wanted_[i];
    ondemand::value& value = field.value();
    Read read = wanted.time ? read_time(value, wanted, cells_[i])
                            : read_value(value, wanted.field.type, buffers_[i], cells_[i]);
    if (read == Read::null) {
      cells_[i] = Scalar::null();
      read = wanted.field.nullable ? Read::ok : Read::missing;
    }
    if (read != Read::ok) [[unlikely]] {
      if (finding.read == Read::ok) {
        finding = {read, wanted.field.name, value.raw_json_token()};
      }
      if (read == Read::broken) {
        return finding;
      }
    }
  }
  learning_ = learning_ && order_.empty();
  return met == wanted_.size() ? finding : fill_missing(finding);
}

// What the walk did not meet: null, or the reason why the row is refused.
Finding RowReader::fill_missing(Finding finding) {
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (seen_[i] == row_) [[likely]] {
      continue;
    }
    cells_[i] = Scalar::null();
    Wanted const& wanted = wanted_[i];
    if ((wanted.time || !wanted.field.nullable) && finding.read == Read::ok) {
      finding = {wanted.time ? Read::bad_timestamp : Read::missing, wanted.field.name, {}};
    }
  }
  return finding;
}

// A key that is not the expected one: behind an optional field that is absent, of another order,
// not wanted, or with escapes.
int RowReader::find(ondemand::field& field, char const* key) {
  std::string_view name = raw_key(key);
  if (name.find('\\') != std::string_view::npos &&
      field.unescaped_key().get(name) != simdjson::SUCCESS) {
    return broken_key;
  }
  elsewhere_ += 1;
  int const index = position_of(name);
  bool const keep =
      name.size() <= learnt_key_bytes_max && name.find('\\') == std::string_view::npos;
  if (learning_) {
    if (keep && order_.size() < learnt_keys_max && next_ == order_.size()) {
      order_.push_back({std::string(name), index});
      next_ = order_.size();
    }
    return index;
  }
  for (std::size_t i = next_; i < order_.size(); ++i) {
    if (order_[i].key == name) {
      next_ = i + 1;
      break;
    }
  }
  return index;
}

int RowReader::position_of(std::string_view key) const {
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (wanted_[i].field.name == key) {
      return static_cast<int>(i);
    }
  }
  return -1;
}

void RowReader::settle() {
  if (fields_ < 1000) {
    return;
  }
  if (elsewhere_ * 100 > fields_) {
    order_.clear();
    learning_ = true;
  }
  fields_ = 0;
  elsewhere_ = 0;
}

// The time field by its own form first, so that integers and decimal text are exact, then as its
// column.
Read RowReader::read_time(ondemand::value& value, Wanted const& wanted, Scalar& cell) {
  if (wanted.column && wanted.field.type.kind == ValueType::integer) {  // the common case, short
    if (read_integer(value, cell) != Read::ok) {
      return read_any_scalar(value, cell) == Read::bad_value ? Read::bad_value
                                                             : Read::bad_timestamp;
    }
    std::optional<EventTime> const at = stamp_of(cell.integer, *unit_);
    time_ = at.value_or(T_MIN);
    return at ? Read::ok : Read::bad_timestamp;
  }
  std::string_view const token = token_of(value);
  Scalar stamp;
  Read const read = read_any_scalar(value, stamp);
  if (read != Read::ok) {
    return read == Read::broken || read == Read::bad_value ? read : Read::bad_timestamp;
  }
  std::optional<EventTime> time;
  if (stamp.kind == Scalar::Kind::integer) {
    time = stamp_of(stamp.integer, *unit_);
  }
  if (stamp.kind == Scalar::Kind::number) {
    time = stamp_of(stamp.number, *unit_);
  }
  if (stamp.kind == Scalar::Kind::string) {
    time = stamp_of(stamp.text, *unit_);
  }
  if (!time) {
    return Read::bad_timestamp;
  }
  time_ = *time;
  cell = stamp;
  if (!wanted.column) {
    return Read::ok;
  }
  switch (wanted.field.type.kind) {
    case ValueType::number:
      if (stamp.kind == Scalar::Kind::integer) {
        cell = Scalar::of(static_cast<double>(stamp.integer));
      }
      return stamp.kind == Scalar::Kind::string ? Read::bad_timestamp : Read::ok;
    case ValueType::string:
      if (stamp.kind == Scalar::Kind::string) {
        return Read::ok;
      }
      cell = Scalar::of_string(token);
      return number_form(token) == NumberForm::integer ? Read::ok : Read::bad_timestamp;
    default:
      return Read::bad_timestamp;
  }
}

}  // namespace windrow::json
