// Which columns a sink gets and from where: the canonical row of connectors.md 2.
#include <algorithm>
#include <array>
#include <string_view>

#include "host/engine/aggregation_spec.hpp"
#include "host/engine/sink_rows.hpp"
#include "host/engine/sink_schema.hpp"
#include "host/model/portable.hpp"

namespace windrow {
namespace {

struct PaneColumnName {
  PaneColumn column;
  std::string_view name;
  ValueType type;
};
constexpr std::array pane_columns{
    PaneColumnName{PaneColumn::id, "id", ValueType::string},
    PaneColumnName{PaneColumn::window_start, "window_start", ValueType::integer},
    PaneColumnName{PaneColumn::window_end, "window_end", ValueType::integer},
    PaneColumnName{PaneColumn::timestamp, "timestamp", ValueType::integer},
    PaneColumnName{PaneColumn::pane_version, "pane_version", ValueType::integer},
    PaneColumnName{PaneColumn::pane_index, "pane_index", ValueType::integer},
    PaneColumnName{PaneColumn::nonspeculative_index, "nonspeculative_index", ValueType::integer},
    PaneColumnName{PaneColumn::pane_timing, "pane_timing", ValueType::string},
    PaneColumnName{PaneColumn::is_first, "is_first", ValueType::boolean},
    PaneColumnName{PaneColumn::is_last, "is_last", ValueType::boolean},
    PaneColumnName{PaneColumn::deleted, "deleted", ValueType::boolean},
    PaneColumnName{PaneColumn::drained, "drained", ValueType::boolean}};

PaneColumnName const& described(PaneColumn column) {
  return pane_columns[static_cast<std::size_t>(column)];
}
std::optional<PaneColumn> pane_column(std::string_view name) {
  for (PaneColumnName const& entry : pane_columns) {
    if (entry.name == name) {
      return entry.column;
    }
  }
  return std::nullopt;
}

Upsert const& upsert_of(TransformConfig const& config) {
  return std::visit(
      [](auto const& c) -> Upsert const& {
        if constexpr (requires { c.upsert; }) {
          return c.upsert;
        } else {
          WINDROW_ASSERT(false, "a sink has write settings");
        }
      },
      config);
}

class LayoutBuilder {
 public:
  LayoutBuilder(Upsert const& settings, Schema const& input) : settings_(settings), input_(input) {}

  void pane(PaneColumn column) {
    PaneColumnName const& entry = described(column);
    auto const renamed = settings_.columns.find(std::string(entry.name));
    std::string const name =
        renamed == settings_.columns.end() ? std::string(entry.name) : renamed->second;
    bool const nullable = column == PaneColumn::pane_index || column == PaneColumn::pane_timing ||
                          column == PaneColumn::is_last || column == PaneColumn::is_first ||
                          column == PaneColumn::nonspeculative_index;  // null in a tombstone
    push({name, FieldType{entry.type, {}}, nullable}, {column, 0});
  }
  // The plan refuses names that would meet those of pane columns.
  void field(std::size_t index) {
    if (index_of({std::nullopt, index}) == SIZE_MAX) {
      push(input_.fields[index], {std::nullopt, index});
    }
  }
  [[nodiscard]] std::size_t index_of(SinkLayout::Cell const& cell) const {
    for (std::size_t i = 0; i < out_.cells.size(); ++i) {
      if (out_.cells[i].pane == cell.pane && (cell.pane || out_.cells[i].input == cell.input)) {
        return i;
      }
    }
    return SIZE_MAX;
  }
  [[nodiscard]] SinkLayout& out() { return out_; }

 private:
  void push(Field field, SinkLayout::Cell cell) {
    out_.schema.columns.fields.push_back(std::move(field));
    out_.cells.push_back(cell);
  }
  Upsert const& settings_;
  Schema const& input_;
  SinkLayout out_;
};

}  // namespace

SinkLayout sink_layout(Graph const& graph, std::size_t transform) {
  Transform const& sink = graph.transforms[transform];
  Upsert const& settings = upsert_of(sink.config);
  Edge const edge = sink.inputs.at(0);
  Schema const& input = edge.errors ? error_schema() : graph.transforms[edge.transform].output;
  LayoutBuilder build(settings, input);
  SinkLayout& out = build.out();
  out.has_errors = sink.has_errors;
  if (!producer_of(graph, transform)) {
    for (std::size_t i = 0; i < input.fields.size(); ++i) {
      build.field(i);
    }
    return out;
  }
  bool versioned = settings.append, indexed = false;
  std::vector<SinkLayout::Cell> key{{PaneColumn::window_start, 0}};
  for (std::string const& name : settings.key) {
    // A field goes before a pane column of its name, but for the window's start, which rows are
    // identified by.
    auto const field = name == "window_start" ? std::nullopt : input.index_of(name);
    auto const pane = field ? std::nullopt : pane_column(name);
    versioned = versioned || pane == PaneColumn::pane_version;
    indexed = indexed || pane == PaneColumn::pane_index;
    if (pane != PaneColumn::window_start) {
      WINDROW_ASSERT(pane || field, "the plan checked the names of `key`");
      key.push_back(pane ? SinkLayout::Cell{pane, 0} : SinkLayout::Cell{std::nullopt, *field});
      out.id_fields.push_back(key.back());
    }
  }
  if (settings.append && !indexed) {
    SinkLayout::Cell const version{PaneColumn::pane_version, 0};
    bool const there = std::any_of(
        key.begin(), key.end(), [](auto const& c) { return c.pane == PaneColumn::pane_version; });
    if (!there) {
      out.id_fields.push_back(version);
    }
  }
  out.numbered = versioned && !indexed;
  out.id_prefix = settings.id_prefix;
  out.has_id = true;

  build.pane(PaneColumn::id);
  build.pane(PaneColumn::window_start);
  build.pane(PaneColumn::window_end);
  for (SinkLayout::Cell const& cell : key) {
    if (!cell.pane) {
      build.field(cell.input);
    }
  }
  for (std::size_t i = 0; i < input.fields.size(); ++i) {
    build.field(i);
  }
  for (PaneColumn const column :
       {PaneColumn::pane_version, PaneColumn::pane_index, PaneColumn::pane_timing,
        PaneColumn::is_last, PaneColumn::deleted, PaneColumn::drained}) {
    build.pane(column);
  }
  auto const want = [&](PaneColumn column) {
    if (build.index_of({column, 0}) == SIZE_MAX) {
      build.pane(column);
    }
  };
  for (auto const& [name, renamed] : settings.columns) {
    if (auto const column = pane_column(name)) {
      want(*column);
    }
  }
  for (SinkLayout::Cell const& cell : key) {
    if (cell.pane) {
      want(*cell.pane);
    }
    out.schema.key.push_back(build.index_of(cell));
  }
  for (PaneColumn const column :
       {PaneColumn::window_start, PaneColumn::window_end, PaneColumn::timestamp}) {
    if (std::size_t const at = build.index_of({column, 0}); at != SIZE_MAX) {
      out.schema.times.push_back(at);
    }
  }
  out.schema.upsert = !settings.append;
  out.schema.id = build.index_of({PaneColumn::id, 0});
  out.schema.version = build.index_of({PaneColumn::pane_version, 0});
  out.schema.deleted = build.index_of({PaneColumn::deleted, 0});
  return out;
}

SinkSchema sink_schema(Graph const& graph, std::size_t transform) {
  return sink_layout(graph, transform).schema;
}

}  // namespace windrow
