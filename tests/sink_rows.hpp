// Rows as a sink gets them, built by hand: the counts of one pipeline, one row per url and window.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "host/engine/sink.hpp"

namespace windrow::test {

inline Field field(std::string name, ValueType type) { return {std::move(name), {type, {}}, true}; }

// id, window_start, url, views, mean, pages, raw, pane_version, deleted
inline SinkSchema counts_schema(bool upsert) {
  SinkSchema schema;
  schema.columns.fields = {
      field("id", ValueType::string),      field("window_start", ValueType::integer),
      field("url", ValueType::string),     field("views", ValueType::integer),
      field("mean", ValueType::number),    field("pages", ValueType::list),
      field("raw", ValueType::bytes),      field("pane_version", ValueType::integer),
      field("deleted", ValueType::boolean)};
  schema.upsert = upsert;
  schema.id = 0;
  schema.version = 7;
  schema.deleted = 8;
  schema.key = {1, 2};
  schema.times = {1};
  return schema;
}

struct CountRow {
  std::optional<std::string> id;
  std::optional<std::string> url = std::nullopt;
  std::optional<std::int64_t> views = std::nullopt;
  std::int64_t version = 1;
  std::optional<double> mean = std::nullopt;
  std::string pages = {};  // encoded; empty = null
  std::string raw = {};
  bool deleted = false;
};

// One batch for one sink, and what became of it.
class SinkBatch {
 public:
  SinkBatch(std::int64_t batch_no, std::vector<CountRow> const& rows) {
    for (Field const& f : counts_schema(true).columns.fields) {
      columns_.emplace_back(f.type.kind);
    }
    for (CountRow const& row : rows) {
      text(0, row.id);
      columns_[1].append(std::int64_t{-300000000});
      text(2, row.url);
      row.views ? columns_[3].append(*row.views) : columns_[3].append_null();
      row.mean ? columns_[4].append(*row.mean) : columns_[4].append_null();
      row.pages.empty() ? columns_[5].append_null() : columns_[5].append_text(row.pages);
      columns_[6].append_text(row.raw);
      columns_[7].append(row.version);
      columns_[8].append(row.deleted);
    }
    for (Column const& column : columns_) {
      views_.push_back(column.view());
    }
    view_.batch_no = batch_no;
    view_.pane_version = rows.empty() ? batch_no : rows.front().version;
    view_.rows = rows.size();
    view_.columns = views_;
  }
  SinkBatch(SinkBatch const&) = delete;  // the view borrows from the columns
  SinkBatch& operator=(SinkBatch const&) = delete;

  std::vector<Outcome> const& write_to(Sink& sink) {
    outcomes.assign(view_.rows, Outcome::fatal);
    sink.write(view_, outcomes, faults);
    return outcomes;
  }
  SinkRowsView& view() { return view_; }
  [[nodiscard]] std::span<ColumnView const> columns() const { return views_; }

  std::vector<Outcome> outcomes;
  std::vector<SinkFault> faults;

 private:
  void text(std::size_t column, std::optional<std::string> const& v) {
    v ? columns_[column].append_text(*v) : columns_[column].append_null();
  }
  std::vector<Column> columns_;
  std::vector<ColumnView> views_;
  SinkRowsView view_;
};

}  // namespace windrow::test
