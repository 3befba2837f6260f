#include "host/cli/transcript/script.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <stdexcept>

#include "host/model/time.hpp"

namespace windrow::transcript {

namespace {

[[noreturn]] void refuse(std::string const& text) {
  throw std::runtime_error("transcript: " + text);
}

constexpr std::array known_keys = {
    "name",   "windowing",  "pipeline",       "unit",      "error",    "differs",  "unsafe",
    "splits", "keys",       "combine",        "observe",   "bounded",  "options",  "source",
    "fields", "transcript", "sessions_merge", "window_fn", "windowfn", "broken_on"};

bool contains_word(Node const& node, std::string_view word) {
  if (node.is_scalar()) {
    return node.text == word;
  }
  return std::any_of(node.items.begin(), node.items.end(),
                     [&](Node const& item) { return item.text == word; });
}

// Does a row of the document stand for every key, so that the keys vary?
bool rows_lack_keys(Node const& node) {
  if (node.is_list()) {
    return std::any_of(node.items.begin(), node.items.end(), [](Node const& row) {
      return row.is_scalar() || row.find("key") == nullptr;
    });
  }
  return false;  // a map names the key of each of its rows
}

Node one_step(Node windowing, Node const* combine) {
  Node const fn =
      combine != nullptr
          ? *combine
          : Node::map(
                {{"count",
                  Node::map({{"value", Node::plain("value")}, {"fn", Node::plain("count")}})},
                 {"sum", Node::map({{"value", Node::plain("value")}, {"fn", Node::plain("sum")}})},
                 {"values",
                  Node::map({{"value", Node::plain("value")}, {"fn", Node::plain("group")}})}});
  Node const input = Node::map({{"type", Node::plain("Create")},
                                {"name", Node::plain("Input")},
                                {"config", Node::map({{"elements", Node::list()}})}});
  Node const step =
      Node::map({{"type", Node::plain("Combine")},
                 {"name", Node::plain("Step")},
                 {"input", Node::plain("Input")},
                 {"windowing", std::move(windowing)},
                 {"config", Node::map({{"group_by", Node::plain("key")}, {"combine", fn}})}});
  return Node::map({{"type", Node::plain("composite")}, {"transforms", Node::list({input, step})}});
}

ValueType type_of(std::string const& name) {
  if (name == "boolean") {
    return ValueType::boolean;
  }
  if (name == "integer") {
    return ValueType::integer;
  }
  if (name == "number") {
    return ValueType::number;
  }
  if (name == "string") {
    return ValueType::string;
  }
  refuse("a field is boolean, integer, number or string");
}

std::vector<Split> splits_of(Node const* node) {
  constexpr std::array names = {"as_written", "one_row", "two_rows", "reversed", "shuffled"};
  std::vector<Split> out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (node == nullptr ? i == 0 : contains_word(*node, names[i])) {
      out.push_back(static_cast<Split>(i));
    }
  }
  if (out.empty()) {
    refuse("splits names none of the known splits");
  }
  return out;
}

std::vector<std::vector<std::string>> key_sets_of(Node const& document) {
  if (Node const* keys = document.find("keys")) {
    std::vector<std::string> set;
    for (Node const& key : keys->items) {
      set.push_back(key.text);
    }
    return {set};
  }
  bool lacking = false;
  auto const look = [&](Node const& action) {
    for (auto const& [name, value] : action.fields) {
      if (name == "input") {
        lacking = lacking || rows_lack_keys(value);
      }
      if (name == "deliver") {
        for (auto const& [partition, rows] : value.fields) {
          lacking = lacking || rows_lack_keys(rows);
        }
      }
    }
  };
  for (Node const& action : document.find("transcript")->items) {
    look(action);
    if (Node const* batch = action.find("batch")) {
      look(*batch);
    }
  }
  if (!lacking) {
    return {{}};
  }
  return {{"k0"}, {"k0", "k1"}, {"k0", "k1", "k2", "k3", "k4", "k5"}};
}

Row record_of(Node const& node, std::string const& partition, Script const& script) {
  Row made;
  made.partition = partition;
  made.on_arrival = true;
  if (!node.is_map()) {
    made.record = node.text;
    return made;
  }
  Node record = Node::map();
  for (auto const& [name, value] : node.fields) {
    if (name == "ts" && !script.own_ts) {
      made.ts_us = parse_time(value.text, script.unit_us).us;
      made.on_arrival = false;
    } else {
      record.fields.emplace_back(name, value);
    }
  }
  made.record = to_json(record);
  return made;
}

void append_rows(Node const& node, std::string const& partition, Script const& script,
                 std::vector<std::string> const& keys, std::vector<Row>& out) {
  if (script.records) {
    if (!node.is_list()) {
      refuse("records are a list");
    }
    for (Node const& item : node.items) {
      out.push_back(record_of(item, partition, script));
    }
    return;
  }
  auto const add = [&](Node const& row, std::string const* named) {
    Node const* ts = row.is_map() ? row.find("ts") : &row;
    if (ts == nullptr) {
      refuse("a row needs ts");
    }
    Row made;
    made.partition = partition;
    made.ts_us = parse_time(ts->text, script.unit_us).us;
    made.value = floor_div(made.ts_us, script.unit_us);
    if (row.is_map()) {
      made.fields = &row;
      if (Node const* value = row.find("value")) {
        made.value_null = value->kind == Node::Kind::null;
        if (!made.value_null) {
          made.value = std::stoll(value->text);
        }
      }
      if (Node const* key = row.find("key")) {
        named = &key->text;
      }
    }
    if (named != nullptr) {
      made.key = *named;
      out.push_back(made);
      return;
    }
    for (std::string const& key : keys) {
      made.key = key;
      out.push_back(made);
    }
  };
  if (node.is_map()) {
    for (auto const& [key, rows] : node.fields) {
      for (Node const& row : rows.items) {
        add(row, &key);
      }
    }
  } else {
    for (Node const& row : node.items) {
      add(row, nullptr);
    }
  }
}

std::vector<std::string> words(Node const& node) {
  std::vector<std::string> out;
  for (Node const& item : node.items) {
    out.push_back(item.text);
  }
  return out;
}

bool add_part(std::string_view name, Node const& value, Script const& script,
              std::vector<std::string> const& keys, Batch& batch) {
  if (name == "input") {
    append_rows(value, "p0", script, keys, batch.rows);
  } else if (name == "watermark") {
    batch.watermark_us = parse_time(value.text, script.unit_us).us;
  } else if (name == "clock") {
    batch.clock_us = parse_time(value.text, script.unit_us).us;
  } else if (name == "deliver") {
    for (auto const& [partition, rows] : value.fields) {
      batch.deliver.push_back(partition);
      append_rows(rows, partition, script, keys, batch.rows);
    }
  } else if (name == "assign") {
    batch.assign = words(value);
  } else if (name == "caught_up") {
    batch.caught_up = words(value);
  } else if (name == "end") {
    batch.end = words(value);
    batch.end_all = batch.end.empty();
  } else if (name == "drain") {
    batch.drain = true;
  } else {
    return false;
  }
  return true;
}

}  // namespace

Time parse_time(std::string const& text, std::int64_t unit_us) {
  if (text == "-inf") {
    return {T_MIN.us, true};
  }
  if (text == "inf") {
    return {T_MAX.us, true};
  }
  std::size_t const point = text.find('.');
  __int128 us = 0;
  bool const negative = text[0] == '-';
  for (std::size_t i = negative ? 1 : 0; i < std::min(point, text.size()); ++i) {
    if (text[i] < '0' || text[i] > '9') {
      refuse("not a time: " + text);
    }
    us = us * 10 + (text[i] - '0');
  }
  us *= unit_us;
  if (point != std::string::npos) {
    std::int64_t digit_us = unit_us;
    for (std::size_t i = point + 1; i < text.size(); ++i) {
      digit_us /= 10;
      us += (text[i] - '0') * digit_us;
    }
  }
  us = std::clamp<__int128>(negative ? -us : us, INT64_MIN, INT64_MAX);
  return {static_cast<std::int64_t>(us), point != std::string::npos};
}

Script read_script(Node const& document) {
  Script script;
  bool const beam = document.find("window_fn") != nullptr || document.find("windowfn") != nullptr;
  script.beam = beam;
  auto const has = [&](std::string_view name) {
    Node const* node = document.find(name);
    return node != nullptr && node->is_true();
  };
  Node const* const name = document.find("name");
  script.name = name == nullptr ? "unnamed" : name->text;
  for (auto const& [key, value] : document.fields) {
    if (!beam && std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end()) {
      refuse("unknown key " + key);
    }
  }
  Node const* const actions = document.find("transcript");
  if (actions == nullptr || !actions->is_list()) {
    refuse("a document needs a transcript");
  }
  script.actions = actions;
  if (Node const* unit = document.find("unit")) {
    script.unit_us = unit->text == "us" ? 1 : unit->text == "ms" ? 1000 : 1'000'000;
  }
  Node const* const stamp = document.find("timestamp_combiner");
  script.skip = document.find("differs") != nullptr ||
                (stamp != nullptr && stamp->text == "OUTPUT_AT_EARLIEST_TRANSFORMED");
  script.unsafe = beam || has("unsafe");
  script.ignore_tombstones = has("sessions_merge");
  script.bounded = has("bounded");
  if (Node const* error = document.find("error")) {
    script.error = error->text;
  }
  if (Node const* observe = document.find("observe")) {
    script.observe = words(*observe);
  }
  script.rows.fields = {{"key", {ValueType::string, {}}, false},
                        {"value", {ValueType::integer, {}}, true}};
  if (Node const* fields = document.find("fields")) {
    for (auto const& [field, type] : fields->fields) {
      script.rows.fields.push_back({field, {type_of(type.text), {}}, true});
    }
  }
  script.key_sets = key_sets_of(document);
  script.splits = splits_of(document.find("splits"));

  Node options = document.find("options") ? *document.find("options") : Node::map();
  if (script.unsafe) {
    options["allow_unsafe_triggers"] = Node::plain("true");
  }
  Node pipeline;
  if (Node const* written = document.find("pipeline")) {
    pipeline = *written;
  } else if (beam) {
    pipeline = one_step(beam_windowing(document), nullptr);
  } else if (Node const* windowing = document.find("windowing")) {
    pipeline = one_step(*windowing, document.find("combine"));
  } else {
    refuse("a document needs windowing, pipeline or window_fn");
  }
  script.pipeline_text = "pipeline: " + to_flow(pipeline) + "\n";
  if (!options.fields.empty()) {
    script.pipeline_text += "options: " + to_flow(options) + "\n";
  }
  if (Node const* source = document.find("source")) {
    script.watermark_text =
        "pipeline: {type: chain, transforms: [{type: Generate, config: {kind: pageviews, "
        "watermark: " +
        to_flow(*source) + "}}, {type: LogForTesting}]}\n";
  }
  return script;
}

std::optional<Batch> batch_of(std::string_view action, Node const& value, Script const& script,
                              std::vector<std::string> const& keys) {
  Batch batch;
  if (action == "batch") {
    for (auto const& [name, part] : value.fields) {
      if (!add_part(name, part, script, keys, batch)) {
        refuse("a batch has no " + name);
      }
    }
    return batch;
  }
  if (!add_part(action, value, script, keys, batch)) {
    return std::nullopt;
  }
  return batch;
}

std::vector<Batch> split(Batch batch, Split how, std::uint64_t seed) {
  if (how == Split::reversed) {
    std::reverse(batch.rows.begin(), batch.rows.end());
  }
  if (how == Split::shuffled) {
    std::shuffle(batch.rows.begin(), batch.rows.end(), std::mt19937_64(seed));
  }
  std::size_t const rows = how == Split::one_row ? 1 : how == Split::two_rows ? 2 : SIZE_MAX;
  if (batch.rows.size() <= rows) {
    return {std::move(batch)};
  }
  std::vector<Batch> pieces;
  for (std::size_t from = 0; from < batch.rows.size(); from += rows) {
    Batch& piece = pieces.emplace_back();
    auto const begin = batch.rows.begin() + static_cast<std::ptrdiff_t>(from);
    auto const end =
        batch.rows.begin() + static_cast<std::ptrdiff_t>(std::min(batch.rows.size(), from + rows));
    piece.rows.assign(begin, end);
  }
  pieces.front().clock_us = batch.clock_us;
  pieces.front().assign = batch.assign;
  pieces.front().deliver = batch.deliver;
  pieces.back().watermark_us = batch.watermark_us;
  pieces.back().caught_up = batch.caught_up;
  pieces.back().end = batch.end;
  pieces.back().end_all = batch.end_all;
  pieces.back().drain = batch.drain;
  return pieces;
}

}  // namespace windrow::transcript
