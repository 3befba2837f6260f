// The walk over one object: values by the schema, the event time by R4 and R91.
#include "ingest/json_row.hpp"

#include <algorithm>
#include <utility>

#include "host/model/portable.hpp"

namespace windrow::json {

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
  cells_.resize(wanted_.size());
  buffers_.resize(wanted_.size());
  seen_.resize(wanted_.size());
}

Finding RowReader::read(ondemand::object& object) {
  row_ += 1;
  Finding finding;
  std::size_t met = 0;
  for (auto item : object) {
    ondemand::field field;
    std::string_view key;
    if (std::move(item).get(field) != simdjson::SUCCESS ||
        field.unescaped_key().get(key) != simdjson::SUCCESS) {
      return {Read::broken, {}, {}};
    }
    std::size_t const i = position_of(key);
    if (i == not_wanted || seen_[i] == row_) {
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
    if (read != Read::ok) {
      if (finding.read == Read::ok) {
        finding = {read, wanted.field.name, value.raw_json_token()};
      }
      if (read == Read::broken) {
        return finding;
      }
    }
  }
  return met == wanted_.size() ? finding : fill_missing(finding);
}

// What the walk did not meet: null, or the reason why the row is refused.
Finding RowReader::fill_missing(Finding finding) {
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (seen_[i] == row_) {
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

std::size_t RowReader::position_of(std::string_view key) const {
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    if (wanted_[i].field.name == key) {
      return i;
    }
  }
  return not_wanted;
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
