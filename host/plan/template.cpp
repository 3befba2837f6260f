#include "host/plan/template.hpp"

#include <cctype>

namespace windrow {
namespace {

bool is_name(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) {
    return false;
  }
  for (char const c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') {
      return false;
    }
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

int as_int(std::size_t value) { return static_cast<int>(value); }

// Fills one line; `number` is its number.
std::string fill_line(std::string_view line, int number,
                      std::map<std::string, std::string> const& vars, Filled& out) {
  std::string filled;
  std::size_t at = 0;
  // A comment line is no template: people leave examples in it.
  if (std::string_view const start = trimmed(line); !start.empty() && start[0] == '#') {
    return std::string{line};
  }
  while (at < line.size()) {
    std::size_t const open = line.find('{', at);
    if (open == std::string_view::npos || open + 1 >= line.size()) {
      break;
    }
    filled += line.substr(at, open - at);
    at = open;
    char const next = line[open + 1];
    if (next == '%' || next == '#') {
      std::size_t const close = line.find(next == '%' ? "%}" : "#}", open + 2);
      std::size_t const end = close == std::string_view::npos ? line.size() : close + 2;
      out.faults.push_back({{number, as_int(open) + 1},
                            as_int(end - open),
                            "Jinja beyond {{ name }} is not supported: " +
                                std::string{line.substr(open, end - open)},
                            {}});
      filled += line.substr(open, end - open);
      at = end;
      continue;
    }
    std::size_t const close = next == '{' ? line.find("}}", open + 2) : std::string_view::npos;
    if (close == std::string_view::npos) {  // one brace of a flow map, or `{{` of two
      filled += '{';
      ++at;
      continue;
    }
    std::string_view const inside = trimmed(line.substr(open + 2, close - open - 2));
    // `{{a: 1}: 2}` and the like is YAML, not Jinja; only what can be a Jinja expression is
    // refused.
    std::size_t const end = close + 2;
    if (!is_name(inside)) {
      out.faults.push_back({{number, as_int(open) + 1},
                            as_int(end - open),
                            "Jinja beyond {{ name }} is not supported: " +
                                std::string{line.substr(open, end - open)},
                            {}});
      filled += line.substr(open, end - open);
      at = end;
      continue;
    }
    auto const found = vars.find(std::string{inside});
    std::string value;
    if (found == vars.end()) {
      out.faults.push_back({{number, as_int(open) + 1},
                            as_int(end - open),
                            "undefined variable '" + std::string{inside} + "'",
                            std::string{inside}});
      value = inside;
    } else if (found->second.find_first_of("\r\n") != std::string::npos) {
      out.faults.push_back({{number, as_int(open) + 1},
                            as_int(end - open),
                            "variable '" + std::string{inside} + "' has a line break",
                            {}});
      value = inside;
    } else {
      value = found->second;
    }
    int const begin = as_int(filled.size()) + 1;
    filled += value;
    out.places.places.push_back(
        {number, begin, as_int(filled.size()) + 1, as_int(open) + 1, as_int(end) + 1});
    at = end;
  }
  filled += line.substr(at);
  return filled;
}

}  // namespace

Position FilledPlaces::before(Position at) const {
  int shift = 0;
  for (Place const& place : places) {
    if (place.line != at.line || at.column < place.begin) {
      continue;
    }
    if (at.column < place.end) {
      return {at.line, place.from_begin};
    }
    shift = place.from_end - place.end;
  }
  return {at.line, at.column + shift};
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (true) {
    std::size_t const end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
    }
    lines.emplace_back(line);
    if (end == std::string_view::npos) {
      return lines;
    }
    text.remove_prefix(end + 1);
  }
}

Filled fill_template(std::string_view text, std::map<std::string, std::string> const& vars) {
  Filled out;
  int number = 0;
  for (std::string const& line : split_lines(text)) {
    if (number > 0) {
      out.text += '\n';
    }
    out.text += fill_line(line, ++number, vars, out);
  }
  return out;
}

Expanded expand_environment(std::string_view text, Environment const& environment) {
  Expanded out;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.substr(at, 3) == "$${") {
      out.text += "${";
      at += 3;
      continue;
    }
    if (text.substr(at, 2) != "${") {
      out.text += text[at++];
      continue;
    }
    std::size_t const close = text.find('}', at);
    std::string_view const inside =
        close == std::string_view::npos ? "" : text.substr(at + 2, close - at - 2);
    std::size_t const colon = inside.find(':');
    std::string_view const name = inside.substr(0, colon);
    if (!is_name(name)) {  // not of this form: a plain text
      out.text += text[at++];
      continue;
    }
    at = close + 1;
    out.replaced = true;
    out.names.emplace_back(name);
    std::optional<std::string> const value = environment ? environment(name) : std::nullopt;
    if (value) {
      out.text += *value;
    } else if (colon != std::string_view::npos) {
      out.text += inside.substr(colon + 1);
    } else {
      out.unset.emplace_back(name);
    }
  }
  return out;
}

}  // namespace windrow
