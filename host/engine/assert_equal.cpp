#include "host/engine/assert_equal.hpp"

#include <fmt/format.h>
#include <rapidjson/document.h>

#include <algorithm>
#include <cmath>

#include "host/engine/value.hpp"
#include "host/model/portable.hpp"

namespace windrow {
namespace {

// One text per value: equal values, equal texts.  Members by name, nulls left out, 1 and 1.0 alike.
void append_canonical(Scalar const& value, std::string& out);

void append_members(std::vector<std::pair<std::string, std::string>> members, std::string& out) {
  std::sort(members.begin(), members.end());
  out += '{';
  for (std::size_t i = 0; i < members.size(); ++i) {
    out += i == 0 ? "" : ", ";
    append_json(Scalar::of_string(members[i].first), out);
    out += ": " + members[i].second;
  }
  out += '}';
}

void append_container(Scalar const& value, std::string& out) {
  ContainerReader reader(value.text);
  std::string_view name;
  Scalar member;
  if (value.kind == Scalar::Kind::structure) {
    std::vector<std::pair<std::string, std::string>> members;
    while (reader.next(name, member)) {
      if (!member.is_null()) {
        append_canonical(member, members.emplace_back(name, "").second);
      }
    }
    append_members(std::move(members), out);
    return;
  }
  out += '[';
  for (bool first = true; reader.next(name, member); first = false) {
    out += first ? "" : ", ";
    append_canonical(member, out);
  }
  out += ']';
}

void append_canonical(Scalar const& value, std::string& out) {
  if (value.kind == Scalar::Kind::list || value.kind == Scalar::Kind::structure) {
    append_container(value, out);
  } else if (value.kind == Scalar::Kind::number && std::abs(value.number) <= 0x1p53 &&
             value.number == std::trunc(value.number)) {
    append_json(Scalar::of(static_cast<std::int64_t>(value.number)), out);
  } else {
    append_json(value, out);
  }
}

std::string canonical(rapidjson::Value const& value) {
  std::string out;
  switch (value.GetType()) {
    case rapidjson::kNullType:
      return "null";
    case rapidjson::kFalseType:
    case rapidjson::kTrueType:
      append_canonical(Scalar::of(value.GetBool()), out);
      return out;
    case rapidjson::kStringType:
      append_canonical(Scalar::of_string({value.GetString(), value.GetStringLength()}), out);
      return out;
    case rapidjson::kNumberType:
      append_canonical(
          value.IsInt64() ? Scalar::of(value.GetInt64()) : Scalar::of(value.GetDouble()), out);
      return out;
    case rapidjson::kArrayType:
      out = "[";
      for (rapidjson::SizeType i = 0; i < value.Size(); ++i) {
        out += (i == 0 ? "" : ", ") + canonical(value[i]);
      }
      return out + "]";
    case rapidjson::kObjectType: {
      std::vector<std::pair<std::string, std::string>> members;
      for (auto const& [name, member] : value.GetObject()) {
        if (!member.IsNull()) {
          members.emplace_back(name.GetString(), canonical(member));
        }
      }
      append_members(std::move(members), out);
      return out;
    }
  }
  return out;
}

void append_lines(std::map<std::string, std::int64_t> const& counts, int sign, char const* what,
                  std::string& out) {
  int lines = 0;
  for (auto const& [text, count] : counts) {
    if (count * sign > 0 && lines++ < 20) {
      out += fmt::format("\n  {} {} x {}", what, count * sign, text);
    }
  }
  if (lines > 20) {
    out += fmt::format("\n  and {} more {}", lines - 20, what);
  }
}

}  // namespace

EqualityCheck::EqualityCheck(Transform const& transform, Schema schema)
    : name_(transform.name), schema_(std::move(schema)) {
  for (std::string const& element : std::get<AssertEqual>(transform.config).elements) {
    rapidjson::Document document;
    document.Parse<rapidjson::kParseFullPrecisionFlag>(element.data(), element.size());
    WINDROW_ASSERT(!document.HasParseError(), "the plan writes elements as JSON");
    ++missing_[canonical(document)];
  }
}

void EqualityCheck::add(EventBatchView const& rows) {
  for (std::size_t row = 0; row < rows.rows; ++row) {
    if ((!rows.deleted.empty() && rows.deleted[row] != 0) ||
        (!rows.weight.empty() && rows.weight[row] < 0)) {
      continue;
    }
    std::vector<std::pair<std::string, std::string>> members;
    for (std::size_t c = 0; c < schema_.fields.size(); ++c) {
      Scalar const value = rows.columns[c].at(row);
      if (!value.is_null()) {
        append_canonical(value, members.emplace_back(schema_.fields[c].name, "").second);
      }
    }
    std::string text;
    append_members(std::move(members), text);
    --missing_[text];
  }
}

void EqualityCheck::snapshot(SnapshotWriter& out) const {
  ByteWriter bytes;
  for (auto const& [text, count] : missing_) {
    bytes.text(text);
    bytes.put(count);
  }
  out.piece("missing", 0, bytes.bytes());
}

void EqualityCheck::restore(SnapshotReader& in) {
  missing_.clear();
  std::string_view name, piece;
  std::uint32_t shard = 0;
  while (in.next(name, shard, piece)) {
    for (ByteReader bytes(piece); !bytes.empty();) {
      std::string text(bytes.text());
      missing_[std::move(text)] = bytes.get<std::int64_t>();
    }
  }
}

std::string EqualityCheck::difference() const {
  std::string lines;
  append_lines(missing_, 1, "missing", lines);
  append_lines(missing_, -1, "unexpected", lines);
  return lines.empty() ? ""
                       : fmt::format("assert_equal: rows differ: transform={}{}", name_, lines);
}

}  // namespace windrow
