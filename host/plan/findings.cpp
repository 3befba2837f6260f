#include "host/plan/findings.hpp"

#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

namespace windrow {
namespace {

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::beam:
      return "beam";
  }
  return {};
}

}  // namespace

bool has_errors(std::vector<Finding> const& findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](Finding const& finding) { return finding.severity == Severity::error; });
}

std::string to_text(Finding const& finding) {
  std::string out = fmt::format("{}:{}:{}: {}[{}] {}\n", finding.file, finding.line, finding.column,
                                name_of(finding.severity), finding.code, finding.text);
  if (finding.source_line.empty()) {
    return out;
  }
  // Columns are kept: a tab stays a tab under a tab.
  std::string indent;
  for (int i = 0; i + 1 < finding.column; ++i) {
    auto const at = static_cast<std::size_t>(i);
    bool const tab = at < finding.source_line.size() && finding.source_line[at] == '\t';
    indent += tab ? '\t' : ' ';
  }
  out += fmt::format("{:>5} | {}\n", finding.line, finding.source_line);
  out += fmt::format("      | {}{}", indent,
                     std::string(static_cast<std::size_t>(std::max(1, finding.length)), '^'));
  if (!finding.suggestion.empty()) {
    out += ' ' + finding.suggestion;
  }
  out += '\n';
  if (!finding.path.empty()) {
    out += fmt::format("      = at {}\n", finding.path);
  }
  return out;
}

std::string to_json(std::vector<Finding> const& findings) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
  auto const text = [&](char const* key, std::string_view value) {
    json.Key(key);
    json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  json.StartArray();
  for (Finding const& finding : findings) {
    json.StartObject();
    text("severity", name_of(finding.severity));
    text("code", finding.code);
    text("file", finding.file);
    json.Key("line");
    json.Int(finding.line);
    json.Key("column");
    json.Int(finding.column);
    json.Key("length");
    json.Int(finding.length);
    text("text", finding.text);
    text("path", finding.path);
    text("source_line", finding.source_line);
    text("suggestion", finding.suggestion);
    json.EndObject();
  }
  json.EndArray();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace windrow
