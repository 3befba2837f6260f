// Columns that grow by appending, and batches of them.
#include "host/engine/batch.hpp"

#include <algorithm>
#include <bit>

#include "host/model/portable.hpp"

namespace windrow {

Scalar ColumnView::at(std::size_t row) const {
  if (!is_valid(row)) {
    return Scalar::null();
  }
  switch (type) {
    case ValueType::boolean:
      return Scalar::of(booleans()[row] != 0);
    case ValueType::integer:
      return Scalar::of(integers()[row]);
    case ValueType::number:
      return Scalar::of(numbers()[row]);
    case ValueType::string:
      return Scalar::of_string(text(row));
    case ValueType::bytes:
      return Scalar::of_bytes(text(row));
    case ValueType::list:
    case ValueType::structure:
      return Scalar::of_encoded(text(row));
  }
  WINDROW_ASSERT(false, "a column has a known type");
  return Scalar::null();
}

void Column::reset(ValueType type) {
  type_ = type;
  rows_ = 0;
  nulls_ = false;
  text_.clear();
  offsets_.clear();
  if (is_text(type)) {
    offsets_.push_back(0);
  }
  words_.clear();
  booleans_.clear();
  valid_.clear();
}

// Ends a row.  The bitmap exists from the first null on; bits past the last row are 0.
void Column::mark(bool valid) {
  if (!valid && !nulls_) {
    nulls_ = true;
    valid_.assign(rows_ / 64, ~std::uint64_t{0});
    if (rows_ % 64 != 0) {
      valid_.push_back((std::uint64_t{1} << (rows_ % 64)) - 1);
    }
  }
  if (nulls_) {
    if (rows_ % 64 == 0) {
      valid_.push_back(0);
    }
    valid_.back() |= std::uint64_t{valid} << (rows_ % 64);
  }
  ++rows_;
}

// Ends rows that are not null.
void Column::mark_run(std::size_t rows) {
  if (!nulls_) {
    rows_ += rows;
    return;
  }
  for (std::size_t i = 0; i < rows; ++i) {
    mark(true);
  }
}

void Column::append_null() {
  if (is_text(type_)) {
    WINDROW_ASSERT(text_.size() == offsets_.back(), "no text is open");
    offsets_.push_back(offsets_.back());
  } else if (type_ == ValueType::boolean) {
    booleans_.push_back(0);
  } else {
    words_.push_back(0);
  }
  mark(false);
}
void Column::append(bool v) {
  WINDROW_ASSERT(type_ == ValueType::boolean, "the value is of the column's type");
  booleans_.push_back(static_cast<std::uint8_t>(v));
  mark(true);
}
void Column::append(std::int64_t v) {
  WINDROW_ASSERT(type_ == ValueType::integer, "the value is of the column's type");
  words_.push_back(v);
  mark(true);
}
void Column::append(double v) {
  WINDROW_ASSERT(type_ == ValueType::number, "the value is of the column's type");
  words_.push_back(std::bit_cast<std::int64_t>(v));
  mark(true);
}
void Column::append_text(std::string_view v) {
  text_.append(v);
  end_text();
}
void Column::end_text() {
  WINDROW_ASSERT(is_text(type_), "the value is of the column's type");
  WINDROW_ASSERT(text_.size() <= UINT32_MAX, "one column of a batch stays below 4 GiB");
  offsets_.push_back(static_cast<std::uint32_t>(text_.size()));
  mark(true);
}

void Column::append(Scalar const& v) {
  using Kind = Scalar::Kind;
  switch (v.kind) {
    case Kind::null:
      append_null();
      break;
    case Kind::boolean:
      append(v.boolean);
      break;
    case Kind::integer:
      if (type_ == ValueType::number) {
        append(static_cast<double>(v.integer));
      } else {
        append(v.integer);
      }
      break;
    case Kind::number:
      append(v.number);
      break;
    case Kind::string:
    case Kind::bytes:
    case Kind::list:
    case Kind::structure:
      WINDROW_ASSERT(static_cast<int>(v.kind) == static_cast<int>(type_) + 1,
                     "the value is of the column's type");
      append_text(v.text);
  }
}
static_assert(static_cast<int>(Scalar::Kind::structure) ==
                      static_cast<int>(ValueType::structure) + 1 &&
                  static_cast<int>(Scalar::Kind::string) == static_cast<int>(ValueType::string) + 1,
              "Column::append(Scalar) compares the two enumerations");

void Column::append(ColumnView const& from, std::size_t row) {
  WINDROW_ASSERT(from.type == type_, "the value is of the column's type");
  if (!from.is_valid(row)) {
    append_null();
  } else if (is_text(type_)) {
    append_text(from.text(row));
  } else if (type_ == ValueType::boolean) {
    booleans_.push_back(from.booleans()[row]);
    mark(true);
  } else {
    words_.push_back(from.integers()[row]);  // of numbers the bit pattern
    mark(true);
  }
}

void Column::append_all(Column const& from) {
  WINDROW_ASSERT(from.type_ == type_, "the value is of the column's type");
  if (nulls_ || from.nulls_) {
    ColumnView const rows = from.view();
    for (std::size_t row = 0; row < from.rows_; ++row) {
      append(rows, row);
    }
    return;
  }
  words_.insert(words_.end(), from.words_.begin(), from.words_.end());
  booleans_.insert(booleans_.end(), from.booleans_.begin(), from.booleans_.end());
  if (is_text(type_)) {
    WINDROW_ASSERT(text_.size() + from.text_.size() <= UINT32_MAX,
                   "one column of a batch stays below 4 GiB");
    auto const shift = static_cast<std::uint32_t>(text_.size());
    text_.append(from.text_);
    for (std::size_t row = 1; row < from.offsets_.size(); ++row) {
      offsets_.push_back(from.offsets_[row] + shift);
    }
  }
  rows_ += from.rows_;
}

void Column::append_words(std::span<std::int64_t const> words) {
  WINDROW_ASSERT(!is_text(type_), "the values are of the column's type");
  if (type_ == ValueType::boolean) {
    for (std::int64_t const word : words) {
      booleans_.push_back(static_cast<std::uint8_t>(word != 0));
    }
  } else {
    words_.insert(words_.end(), words.begin(), words.end());
  }
  mark_run(words.size());
}

void Column::append_texts(std::span<std::string_view const> texts) {
  WINDROW_ASSERT(is_text(type_), "the values are of the column's type");
  std::size_t const rows = offsets_.size(), bytes = text_.size();
  offsets_.resize(rows + texts.size());
  std::size_t end = bytes;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    end += texts[i].size();
    offsets_[rows + i] = static_cast<std::uint32_t>(end);
  }
  WINDROW_ASSERT(end <= UINT32_MAX, "one column of a batch stays below 4 GiB");
  text_.resize(end);
  char* out = text_.data() + bytes;
  for (std::string_view const text : texts) {
    out = std::copy(text.begin(), text.end(), out);
  }
  mark_run(texts.size());
}

ColumnView Column::view() const {
  ColumnView view;
  view.type = type_;
  if (is_text(type_)) {
    view.data = std::as_bytes(std::span(text_));
    view.offsets = offsets_;
  } else if (type_ == ValueType::boolean) {
    view.data = std::as_bytes(std::span(booleans_));
  } else {
    view.data = std::as_bytes(std::span(words_));
  }
  view.valid = valid_;
  return view;
}

std::size_t Column::bytes() const {
  return text_.capacity() + offsets_.capacity() * sizeof(offsets_[0]) +
         words_.capacity() * sizeof(words_[0]) + booleans_.capacity() +
         valid_.capacity() * sizeof(valid_[0]);
}

void EventBatch::reset(Schema const& schema) {
  event_time.clear();
  columns.resize(schema.fields.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    columns[i].reset(schema.fields[i].type.kind);
  }
  origin.clear();
  window.clear();
  info.clear();
  deleted.clear();
  overflowed.clear();
  weight.clear();
  pane.clear();
  place.clear();
}

EventBatchView EventBatch::view() {
  std::size_t const n = rows();
  auto const fits = [n](auto const& column) { return column.empty() || column.size() == n; };
  WINDROW_ASSERT(fits(origin) && fits(window) && fits(info) && fits(deleted) && fits(overflowed) &&
                     fits(weight) && fits(pane) && fits(place),
                 "the columns of a batch have equal lengths");
  views_.clear();
  for (Column const& column : columns) {
    WINDROW_ASSERT(column.size() == n, "the columns of a batch have equal lengths");
    views_.push_back(column.view());
  }
  return {n, event_time, views_, origin, window, info, deleted, overflowed, weight, pane, place};
}

}  // namespace windrow
