// What a Combine reads of one chunk: values, keys by shard, and the newest stamps.
#include <algorithm>
#include <numeric>

#include "host/engine/key_bytes.hpp"
#include "host/engine/key_dictionary.hpp"
#include "host/engine/row_stage.hpp"
#include "host/engine/row_view.hpp"

namespace windrow {

void RowStage::key(StageContext const& context, std::size_t end, StageChunk& chunk) const {
  KeyedEnd const& shape = shape_.keyed[end];
  KeyedRows& keyed = chunk.keyed[end];
  auto const& config = std::get<Combine>(graph_.transforms[shape.transform].config);
  compute_values(context, end, chunk);
  keyed.latest.clear();
  std::vector<Field> fields;
  std::vector<ColumnView> group;
  for (std::size_t const column : config.group) {
    fields.push_back(input_schema(shape.node).fields[column]);
    if (keyed.input.rows > 0) {
      group.push_back(keyed.input.columns[column]);
    }
  }
  shard_keys(KeyBytes(fields), group, keyed);
  if (context.records != nullptr && !keyed.input.origin.empty()) {
    note_latest(*context.records, keyed);
  }
}

// Values that are no plain fields are computed; a row without one of its values is set aside.
void RowStage::compute_values(StageContext const& context, std::size_t end,
                              StageChunk& chunk) const {
  KeyedEnd const& shape = shape_.keyed[end];
  KeyedRows& keyed = chunk.keyed[end];
  EventBatchView const& in = chunk.nodes[shape.node].in;
  auto const& exprs = std::get<Combine>(graph_.transforms[shape.transform].config).values;
  auto const is_plain = [](Expression const& value) { return value.op == ExpressionOp::field; };
  keyed.tombstones_ignored = 0;
  keyed.input = in;
  keyed.made.resize(exprs.size());
  for (std::size_t v = 0; v < exprs.size(); ++v) {
    keyed.made[v].reset(exprs[v].type.kind);
  }
  if (!std::all_of(exprs.begin(), exprs.end(), is_plain) || !in.deleted.empty()) {
    std::vector<std::uint32_t> kept;
    kept.reserve(in.rows);
    std::vector<Scalar> values(exprs.size());
    for (std::uint32_t row = 0; row < in.rows; ++row) {
      if (!in.deleted.empty() && in.deleted[row] != 0) {
        ++keyed.tombstones_ignored;  // R78, append; `replace` gets no tombstones
        continue;
      }
      bool whole = true;
      for (std::size_t v = 0; v < exprs.size() && whole; ++v) {
        if (is_plain(exprs[v])) {
          continue;
        }
        whole = chunk.evaluator.evaluate(exprs[v], in, row, values[v]);
        if (!whole) {
          set_aside(context, shape.node, in, row, Fault::bad_expression, chunk.evaluator.why(),
                    chunk);
        } else if (!fits(values[v], exprs[v].type.kind)) {
          whole = false;
          set_aside(context, shape.node, in, row, Fault::bad_expression,
                    "the value has another type than the column", chunk);
        }
      }
      if (!whole) {
        continue;
      }
      kept.push_back(row);
      for (std::size_t v = 0; v < exprs.size(); ++v) {
        if (!is_plain(exprs[v])) {
          keyed.made[v].append(values[v]);
        }
      }
      chunk.evaluator.clear();
    }
    if (kept.size() < in.rows) {
      select_rows(in, kept, keyed.kept);
      keyed.input = keyed.kept.view();
    }
  }
  keyed.values.clear();
  for (std::size_t v = 0; v < exprs.size(); ++v) {
    if (is_plain(exprs[v]) && keyed.input.rows == 0) {
      keyed.values.push_back({});  // no rows may mean no columns
    } else {
      keyed.values.push_back(is_plain(exprs[v]) ? keyed.input.columns[exprs[v].field]
                                                : keyed.made[v].view());
    }
  }
}

void RowStage::shard_keys(KeyBytes const& bytes, std::span<ColumnView const> group,
                          KeyedRows& keyed) {
  std::size_t const rows = keyed.input.rows;
  keyed.ids.assign(rows, KeyDictionary::no_key);
  keyed.key_text.clear();
  keyed.key_end.clear();
  if (!bytes.plain()) {
    std::string scratch;
    for (std::size_t row = 0; row < rows; ++row) {
      keyed.key_text.append(bytes.of(group, row, scratch));
      keyed.key_end.push_back(static_cast<std::uint32_t>(keyed.key_text.size()));
    }
  }
  std::string_view const text = keyed.key_text;
  auto const key_of = [&](std::size_t row) {
    if (bytes.plain()) {
      return group[0].text(row);
    }
    std::size_t const first = row == 0 ? 0 : keyed.key_end[row - 1];
    return text.substr(first, keyed.key_end[row] - first);
  };
  keyed.shard_begin = {};
  keyed.hash_of_row.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    keyed.hash_of_row[row] = hash_of(key_of(row));
    ++keyed.shard_begin[shard_of_hash(keyed.hash_of_row[row]) + 1];
  }
  std::partial_sum(keyed.shard_begin.begin(), keyed.shard_begin.end(), keyed.shard_begin.begin());
  keyed.by_shard.resize(rows);
  keyed.keys.resize(rows);
  keyed.hashes.resize(rows);
  auto next = keyed.shard_begin;
  for (std::uint32_t row = 0; row < rows; ++row) {
    std::uint64_t const hash = keyed.hash_of_row[row];
    std::uint32_t const place = next[shard_of_hash(hash)]++;
    keyed.by_shard[place] = row;
    keyed.keys[place] = key_of(row);
    keyed.hashes[place] = hash;
  }
}

// What the trackers observe.  The partitions of a source are small numbers.
void RowStage::note_latest(RecordsView const& records, KeyedRows& keyed) {
  constexpr std::int64_t none = INT64_MIN;  // below every event time
  keyed.latest_of.clear();
  for (std::size_t row = 0; row < keyed.input.rows; ++row) {
    if (keyed.input.origin[row] == no_origin) {
      continue;
    }
    std::uint32_t const partition = records.raw->records[keyed.input.origin[row]].partition;
    if (partition >= keyed.latest_of.size()) {
      keyed.latest_of.resize(partition + 1, none);
    }
    std::int64_t& latest = keyed.latest_of[partition];
    latest = std::max(latest, keyed.input.event_time[row].us);
  }
  for (std::uint32_t partition = 0; partition < keyed.latest_of.size(); ++partition) {
    if (keyed.latest_of[partition] != none) {
      keyed.latest.emplace_back(partition, EventTime{keyed.latest_of[partition]});
    }
  }
}

void RowStage::drop_refused(StageContext const& context, std::size_t end, StageChunk& chunk,
                            EventBatch& refused) const {
  KeyedEnd const& shape = shape_.keyed[end];
  KeyedRows& keyed = chunk.keyed[end];
  std::vector<std::uint32_t> kept;
  for (std::uint32_t row = 0; row < keyed.input.rows; ++row) {
    if (keyed.ids[row] != KeyDictionary::no_key) {
      kept.push_back(row);
      continue;
    }
    std::string element;
    append_row_json(input_schema(shape.node), keyed.input, row, element);
    ErrorRow error;
    error.element = element;
    error.message = "a new key over memory_limit";
    error.fault = Fault::memory_limit;
    error.comes_from(context.records, origin_of(context.records, keyed.input, row));
    append_error_row(error, keyed.input.event_time[row], refused);
    if (context.wants_set_aside) {
      chunk.set_aside.push_back(
          {shape.transform, Fault::memory_limit, std::string(error.message), std::move(element)});
    }
  }
  EventBatchView values = keyed.input;
  values.columns = keyed.values;
  EventBatch columns, rows;
  select_rows(values, kept, columns);
  select_rows(keyed.input, kept, rows);
  keyed.kept = std::move(rows);
  keyed.input = keyed.kept.view();
  keyed.made = std::move(columns.columns);
  keyed.values.clear();
  for (Column const& column : keyed.made) {
    keyed.values.push_back(column.view());
  }
  std::erase(keyed.ids, KeyDictionary::no_key);
}

}  // namespace windrow
