// Types of values, merged row by row.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <fstream>

#include "ingest/line_source.hpp"
#include "ingest/schema_inference.hpp"

namespace windrow {
namespace {

namespace dom = simdjson::dom;

struct Member;

// A type as far as it is known.  `open`: a list whose elements differ.
struct Guess {
  std::optional<ValueType> kind;
  bool open = false;
  std::vector<Member> members;  // of a structure; of a list its one element, without a name
};

struct Member {
  std::string name;
  Guess type;
};

std::optional<ValueType> kind_of(dom::element value) {
  switch (value.type()) {
    case dom::element_type::ARRAY:
      return ValueType::list;
    case dom::element_type::OBJECT:
      return ValueType::structure;
    case dom::element_type::INT64:
      return ValueType::integer;
    case dom::element_type::UINT64:  // beyond int64
    case dom::element_type::DOUBLE:
      return ValueType::number;
    case dom::element_type::STRING:
      return ValueType::string;
    case dom::element_type::BOOL:
      return ValueType::boolean;
    case dom::element_type::NULL_VALUE:
      break;
  }
  return std::nullopt;
}

bool is_number(ValueType kind) { return kind == ValueType::integer || kind == ValueType::number; }

// Widens `guess` so that it takes the value; else says at which path it cannot.
std::string merge(Guess& guess, dom::element value, std::string const& path) {
  std::optional<ValueType> const kind = kind_of(value);
  if (!kind) {
    return {};
  }
  if (!guess.kind) {
    guess.kind = kind;
  } else if (*guess.kind != *kind) {
    if (!is_number(*guess.kind) || !is_number(*kind)) {
      return fmt::format("a field has several types: field={} types={},{}", path,
                         name_of(*guess.kind), name_of(*kind));
    }
    guess.kind = ValueType::number;
  }
  if (*kind == ValueType::list && !guess.open) {
    for (dom::element const item : dom::array(value)) {
      if (guess.members.empty()) {
        guess.members.emplace_back();
      }
      if (!merge(guess.members[0].type, item, path).empty()) {
        guess.open = true;
        guess.members.clear();
        break;
      }
    }
  }
  if (*kind == ValueType::structure) {
    for (dom::key_value_pair const item : dom::object(value)) {
      auto at = std::find_if(guess.members.begin(), guess.members.end(),
                             [&](Member const& member) { return member.name == item.key; });
      if (at == guess.members.end()) {
        at = guess.members.insert(at, Member{std::string(item.key), {}});
      }
      std::string fault =
          merge(at->type, item.value, path.empty() ? at->name : path + "." + at->name);
      if (!fault.empty()) {
        return fault;
      }
    }
  }
  return {};
}

std::vector<Field> fields_of(Guess const& guess) {
  std::vector<Field> fields;
  for (auto const& [name, member] : guess.members) {
    // A list of nulls only says nothing of its elements.
    if (guess.kind == ValueType::list && !member.kind) {
      continue;
    }
    fields.push_back({name, {member.kind.value_or(ValueType::string), fields_of(member)}, true});
  }
  return fields;
}

// file:line of a row.
std::string place_of(LineSource const& source, RawRecord const& row) {
  std::string const path{source.path_of(row.partition, row.offset)};
  std::ifstream file(path, std::ios::binary);
  std::string before(static_cast<std::size_t>(source.offset_in_path(row.offset)), ' ');
  file.read(before.data(), static_cast<std::streamsize>(before.size()));
  return fmt::format("{}:{}", path, std::count(before.begin(), before.end(), '\n') + 1);
}

InferredSchema infer(LineSource const& source, RawBatch const& rows) {
  InferredSchema inferred;
  Guess root;
  std::size_t objects = 0;
  dom::parser parser;
  for (RawRecord const& row : rows.records) {
    dom::element value;
    if (parser.parse(row.data, row.bytes).get(value) != simdjson::SUCCESS || !value.is_object()) {
      continue;
    }
    objects += 1;
    inferred.fault = merge(root, value, "");
    if (!inferred.fault.empty()) {
      inferred.fault += fmt::format(" at={}", place_of(source, row));
      return inferred;
    }
    for (dom::key_value_pair const item : dom::object(value)) {
      double number = 0;
      if (item.value.get(number) == simdjson::SUCCESS) {
        inferred.numbers.emplace(item.key, number);
      }
    }
  }
  if (objects == 0) {
    inferred.fault =
        fmt::format("none of the first rows is a JSON object: rows={}", rows.records.size());
    return inferred;
  }
  inferred.schema = Schema{fields_of(root)};
  return inferred;
}

}  // namespace

InferredSchema infer_json_schema(std::string const& path) {
  InferredSchema inferred;
  if (path == "-") {
    inferred.fault = "standard input cannot be looked at beforehand; give a schema";
    return inferred;
  }
  try {
    LineSource source(path);
    source.open();
    RawBatch rows;
    source.poll(rows, inferred_rows, 0);
    return infer(source, rows);
  } catch (EnvironmentError const& error) {
    inferred.fault = error.what();
  }
  return inferred;
}

}  // namespace windrow
