// Ends of a pipeline: sinks with their row ids, logs and assertions (semantics.md 16.3,
// connectors.md 1.11).
#include <fmt/format.h>

#include <algorithm>

#include "host/plan/graph_builder.hpp"
#include "host/plan/row_elements.hpp"

namespace windrow {
namespace {

bool contains(std::vector<std::string> const& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool GraphBuilder::log_for_testing(Work& work) {
  LogForTesting config;
  std::string const level = work.keys.text("level");
  config.level = level == "DEBUG"   ? LogForTesting::Level::debug
                 : level == "ERROR" ? LogForTesting::Level::error
                                    : LogForTesting::Level::info;
  config.prefix = work.keys.text("prefix");
  work.out.config = std::move(config);
  return true;
}

bool GraphBuilder::assert_equal(Work& work) {
  AssertEqual config;
  if (YamlNode const* const elements = work.keys.find("elements")) {
    config.elements = read_elements(context_, *elements, work.in.schema);
  }
  work.out.config = std::move(config);
  return true;
}

bool GraphBuilder::write_to_sqlite(Work& work) {
  WriteToSqlite config;
  config.path = work.keys.text("path");
  config.table = work.keys.text("table");
  config.create_table = work.keys.boolean("create_table");
  config.upsert = upsert(work);
  if (YamlNode const* const table = work.keys.find("table")) {
    spaces_.push_back({"table", config.path + '\n' + config.table, config.upsert.id_prefix,
                       work.written.label, table});
  }
  work.out.config = std::move(config);
  return true;
}

bool GraphBuilder::write_to_json(Work& work) {
  WriteToJson config;
  config.path = work.keys.text("path");
  config.upsert = upsert(work);
  if (config.path == "-") {
    report_.add_on_beam(OnBeam::differs, *work.keys.find("path"),
                        "'-' is stdout; on Beam files are written whose names begin with it",
                        "WriteToJson.path: \"-\"");
  }
  if (YamlNode const* const path = work.keys.find("path"); path != nullptr && config.path != "-") {
    std::string place = config.path;
    while (place.size() > 1 && place.ends_with('/')) {
      place.pop_back();
    }
    // File names do not hold the prefix: it cannot keep two sinks apart.
    spaces_.push_back({"path", place, "", work.written.label, path});
  }
  work.out.config = std::move(config);
  return true;
}

// E136: two sinks write rows whose ids could be equal.
void GraphBuilder::check_spaces() {
  for (std::size_t i = 0; i < spaces_.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      Space const& a = spaces_[j];
      Space const& b = spaces_[i];
      if (a.system != b.system || a.place != b.place || a.prefix != b.prefix) {
        continue;
      }
      report_.add("E136", *b.at,
                  fmt::format("{} and {} share {} '{}'", a.label, b.label, b.system, b.at->text),
                  b.system == "path" ? "" : "give one of them an id_prefix");
      break;
    }
  }
}

Upsert GraphBuilder::upsert(Work& work, bool transactional) {
  Keys const& keys = work.keys;
  Upsert out;
  out.append = keys.text("write_mode") == "append";
  out.id_prefix = keys.text("id_prefix");
  if (out.id_prefix.find_first_of("/|") != std::string::npos) {
    report_.add("E141", *keys.find("id_prefix"), "id_prefix must contain neither '/' nor '|'");
  }
  refuse_regrouped(work, "writing");
  Schema const& fields = work.in.schema;
  std::optional<std::size_t> const step = work.in.step();
  std::vector<std::string> const pane_names = names_of(pane_columns());
  if (YamlNode const* const columns = keys.find("columns")) {
    for (YamlEntry const& entry : columns->entries) {
      if (!step || !contains(pane_names, entry.key.text)) {
        report_.add("E140", entry.key,
                    step ? fmt::format("{}: no pane column '{}'", work.place, entry.key.text)
                         : fmt::format("{}: rows that no Combine made have no pane column '{}'",
                                       work.place, entry.key.text),
                    step ? did_you_mean(entry.key.text, pane_names) : "");
        continue;
      }
      std::string const& name = entry.value.text;
      bool const twice = std::any_of(out.columns.begin(), out.columns.end(),
                                     [&](auto const& column) { return column.second == name; });
      if (!entry.value.is_scalar() || name.empty()) {
        report_.add("E141", entry.value,
                    fmt::format("the name of '{}' must be a string, is {}", entry.key.text,
                                kind_of(entry.value)));
      } else if (fields.index_of(name) || twice || name == "id") {
        report_.add("E141", entry.value, fmt::format("the rows have a column '{}' already", name));
      } else {
        out.columns[entry.key.text] = name;
      }
    }
  }
  for (Field const& field : fields.fields) {
    // What the canonical row adds unasked, unless it is renamed.
    bool const reserved =
        step &&
        (field.name == "id" || contains({"window_start", "window_end", "pane_version", "pane_index",
                                         "pane_timing", "is_last", "deleted", "drained"},
                                        field.name));
    if (reserved && !out.columns.contains(field.name)) {
      report_.add("E141", work.at(),
                  fmt::format("{}: field '{}' has the name of a column that every row of a "
                              "Combine gets; rename one of them",
                              work.place, field.name));
    }
  }

  YamlNode const* const key_node = keys.find("key");
  if (key_node != nullptr) {
    std::vector<std::string> legal = names_of(fields);
    if (step) {
      legal.insert(legal.end(), pane_names.begin(), pane_names.end());
    }
    for (YamlNode const* const node : keys.texts("key")) {
      if (!contains(legal, node->text)) {
        report_.add("E140", *node, fmt::format("{}: no column '{}'", work.place, node->text),
                    did_you_mean(node->text, legal));
        continue;
      }
      if (contains(out.key, node->text)) {
        report_.add("E141", *node, fmt::format("'{}' is in key twice", node->text));
        continue;
      }
      out.key.push_back(node->text);
    }
  } else if (step) {
    out.key = {"window_start"};
    Windowing const& windowing = windowing_of(*step);
    if (windowing.merging && windowing.windows.kind == WindowKind::given) {
      out.key.emplace_back("window_end");
    }
    std::set<std::size_t> covered;
    for (std::size_t i = 0; i < fields.fields.size(); ++i) {
      std::optional<std::size_t> const identity = work.in.identifies[i];
      if (identity && covered.insert(*identity).second) {
        out.key.push_back(fields.fields[i].name);
      }
    }
  }
  check_key(work, out, key_node);
  check_delivery(work, out, transactional);
  std::stable_partition(out.key.begin(), out.key.end(),
                        [](std::string const& name) { return name == "window_start"; });
  return out;
}

// E137: what a crash between a write and its acknowledgement repeats must find itself again.
void GraphBuilder::check_delivery(Work& work, Upsert const& config, bool transactional) {
  YamlNode const* const delivery = work.keys.find("delivery");
  if (delivery == nullptr || delivery->text != "exactly_once") {
    return;
  }
  if (config.append && !transactional) {
    report_.add("E137", *delivery,
                fmt::format("{} appends: without a guard or a transaction a repeated row is a "
                            "second row",
                            work.written.label));
  } else if (reads_stdin(work)) {
    report_.add("E137", *delivery, "stdin cannot be replayed", "set spool");
  } else if (context_.state.empty() &&
             context_.options.purpose != LoadOptions::Purpose::test) {  // tests write nothing
    report_.add("E137", *delivery, "without state a batch cannot be known again after a crash",
                "give --state DIR, or options.windrow.state");
  }
}

bool GraphBuilder::reads_stdin(Work const& work) const {
  std::vector<Edge> open = work.in.edges;
  while (!open.empty()) {
    Transform const& above = graph_[open.back().transform];
    open.pop_back();
    auto const* const json = std::get_if<ReadFromJson>(&above.config);
    if (json != nullptr && json->path == "-" && json->spool.empty()) {
      return true;
    }
    open.insert(open.end(), above.inputs.begin(), above.inputs.end());
  }
  return false;
}

void GraphBuilder::check_key(Work& work, Upsert& config, YamlNode const* key_node) {
  Keys const& keys = work.keys;
  std::optional<std::size_t> const step = work.in.step();
  YamlNode const& at = key_node != nullptr ? *key_node : work.at();
  if (keys.given("write_mode") && !keys.has("write_mode")) {
    return;
  }
  if (!step) {
    if (config.append) {
      return;
    }
    if (work.in.steps.size() > 1) {
      report_.add("E136", at,
                  fmt::format("{} writes rows of several Combines: their ids could be equal",
                              work.written.label));
    } else {
      report_.add(
          "E134", at,
          fmt::format("rows that no Combine made have no row id: {} needs write_mode: append",
                      work.written.label));
    }
    return;
  }
  Windowing const& windowing = windowing_of(*step);
  bool const many = many_panes(windowing);
  if (config.append) {
    if (many) {
      report_.add("W209", work.at(),
                  fmt::format("{} writes a row for every early, on-time and late pane of {}",
                              work.written.label, label_of_step(*step)));
    }
    if (windowing.closing == Closing::emit_always) {
      report_.add("W206", work.at(),
                  fmt::format("{} of {} adds a last row to every window", "emit_always",
                              label_of_step(*step)));
    }
    return;
  }
  // A mode that was not written has been refused already (E126).
  if (many && windowing.discarding && work.in.windows.mode_given &&
      !(contains(config.key, "pane_version") && contains(config.key, "pane_index"))) {
    report_.add(
        "E132", at,
        fmt::format("each pane of {} would overwrite the one before: use accumulation_mode: "
                    "accumulating, or put pane_version and pane_index into the key",
                    label_of_step(*step)));
  }
  // A key that names a column which is not there has been refused already.
  if (key_node != nullptr && keys.texts("key").size() != config.key.size()) {
    return;
  }
  std::vector<std::string> missing;
  if (windowing.windows.kind != WindowKind::global) {
    if (!contains(config.key, "window_start")) {
      missing.emplace_back("window_start");
    }
    bool const shared_start = windowing.merging && windowing.windows.kind == WindowKind::given;
    if (shared_start && !contains(config.key, "window_end")) {
      missing.emplace_back("window_end");
    }
  }
  for (std::size_t i = 0; i < work.in.identity.size(); ++i) {
    bool const covered =
        std::any_of(config.key.begin(), config.key.end(), [&](std::string const& name) {
          std::optional<std::size_t> const column = work.in.schema.index_of(name);
          return column && work.in.identifies[*column] == i;
        });
    if (!covered) {
      missing.push_back(work.in.identity[i]);
    }
  }
  for (std::string const& name : missing) {
    std::string const what =
        name == "window_start" || name == "window_end"
            ? "two windows of one key would share a row"
            : fmt::format("two rows of {} would share an id", label_of_step(*step));
    report_.add("E134", at,
                fmt::format("key of {} needs '{}': {}", work.written.label, name, what));
  }
}

}  // namespace windrow
