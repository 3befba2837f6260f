#include "host/plan/yaml_tree.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

namespace windrow {
namespace {

constexpr std::size_t nodes_max =
    2'000'000;  // an alias copies: bounds what a small file can become

class TooLarge {};

// Builds the tree from the parser's events.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(std::vector<YamlFault>& faults) : faults_(faults) {}
  YamlNode root;

  void OnDocumentStart(YAML::Mark const&) override {}
  void OnDocumentEnd() override {}
  void OnNull(YAML::Mark const& mark, YAML::anchor_t anchor) override {
    add(made(YamlNode::Kind::null, mark), anchor);
  }
  void OnScalar(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                std::string const& value) override {
    YamlNode node = made(YamlNode::Kind::scalar, mark);
    node.text = value;
    node.quoted = tag != "?";
    add(std::move(node), anchor);
  }
  void OnSequenceStart(YAML::Mark const& mark, std::string const&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_.push_back({made(YamlNode::Kind::list, mark), anchor, {}, false});
  }
  void OnMapStart(YAML::Mark const& mark, std::string const&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_.push_back({made(YamlNode::Kind::map, mark), anchor, {}, false});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }
  void OnAlias(YAML::Mark const& mark, YAML::anchor_t anchor) override {
    auto const found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      faults_.push_back({at(mark), 1, "an alias inside the value of its own anchor", {}});
      add(made(YamlNode::Kind::null, mark), 0);
      return;
    }
    count(found->second);
    YamlNode copy = found->second;
    copy.at = at(mark);
    add(std::move(copy), 0);
  }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor;
    YamlNode key;
    bool has_key;
  };

  static Position at(YAML::Mark const& mark) { return {mark.line + 1, mark.column + 1}; }
  YamlNode made(YamlNode::Kind kind, YAML::Mark const& mark) {
    if (++nodes_ > nodes_max) {
      throw TooLarge{};
    }
    YamlNode node;
    node.kind = kind;
    node.at = at(mark);
    return node;
  }
  void count(YamlNode const& node) {
    if (++nodes_ > nodes_max) {
      throw TooLarge{};
    }
    for (YamlNode const& item : node.items) {
      count(item);
    }
    for (YamlEntry const& entry : node.entries) {
      count(entry.value);
    }
  }
  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }
  void add(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      root = std::move(node);
      return;
    }
    Open& open = open_.back();
    if (open.node.is_list()) {
      open.node.items.push_back(std::move(node));
    } else if (!open.has_key) {
      if (!node.is_scalar()) {
        faults_.push_back({node.at, 1, "a key must be a plain text", {}});
      }
      open.key = std::move(node);
      open.has_key = true;
    } else {
      // A value without text stands nowhere: name its key instead.
      if (node.is_null()) {
        node.at = open.key.at;
      }
      open.node.entries.push_back({std::move(open.key), std::move(node)});
      open.has_key = false;
    }
  }

  std::vector<YamlFault>& faults_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::size_t nodes_ = 0;
};

// Leads positions back to the user's text, measures scalars, names paths, finds keys given twice.
class Finisher {
 public:
  Finisher(std::vector<std::string> const& lines, FilledPlaces const& places, std::uint8_t source,
           std::vector<YamlFault>& faults)
      : lines_(lines), places_(places), source_(source), faults_(faults) {}

  void finish(YamlNode& node, std::string path) {
    place(node);
    node.path = std::move(path);
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      finish(node.items[i], fmt::format("{}[{}]", node.path, i));
    }
    for (std::size_t i = 0; i < node.entries.size(); ++i) {
      YamlEntry& entry = node.entries[i];
      place(entry.key);
      entry.key.path = node.path.empty() ? entry.key.text : node.path + '.' + entry.key.text;
      finish(entry.value, entry.key.path);
      if (entry.value.is_null()) {
        entry.value.length = entry.key.length;
      }
    }
    for (std::size_t i = 1; i < node.entries.size();) {
      YamlNode const& key = node.entries[i].key;
      if (node.find_key(key.text) == &key) {
        ++i;
        continue;
      }
      faults_.push_back(
          {key.at, key.length, fmt::format("'{}' is given twice", key.text), key.path});
      node.entries.erase(node.entries.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

 private:
  void place(YamlNode& node) {
    node.source = source_;
    Position const filled = node.at;
    node.at = places_.before(filled);
    if (!node.is_scalar()) {
      return;
    }
    for (FilledPlaces::Place const& hole : places_.places) {
      if (hole.line == filled.line && hole.begin <= filled.column && filled.column < hole.end) {
        node.length = hole.from_end - hole.from_begin;
        return;
      }
    }
    auto const line_at = static_cast<std::size_t>(node.at.line - 1);
    auto const column_at = static_cast<std::size_t>(node.at.column - 1);
    if (line_at >= lines_.size() || column_at >= lines_[line_at].size()) {
      return;
    }
    std::string_view const rest = std::string_view{lines_[line_at]}.substr(column_at);
    if (rest.starts_with(node.text) && !node.text.empty()) {
      node.length = static_cast<int>(node.text.size());
      node.verbatim = true;
    } else if (rest[0] == '"' || rest[0] == '\'') {
      std::size_t end = 1;
      while (end < rest.size() && rest[end] != rest[0]) {
        end += rest[0] == '"' && rest[end] == '\\' ? 2 : 1;
      }
      node.length = static_cast<int>(std::min(end + 1, rest.size()));
      node.opening = 1;
      node.verbatim = rest.substr(1).starts_with(node.text);
    }
  }

  std::vector<std::string> const& lines_;
  FilledPlaces const& places_;
  std::uint8_t source_;
  std::vector<YamlFault>& faults_;
};

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}
bool is_integer(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    text.remove_prefix(1);
  }
  return is_digits(text);
}
bool is_number(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    text.remove_prefix(1);
  }
  std::size_t const exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos && !is_integer(text.substr(exponent + 1))) {
    return false;
  }
  std::string_view const mantissa = text.substr(0, exponent);
  std::size_t const point = mantissa.find('.');
  if (point == std::string_view::npos) {
    return is_digits(mantissa);
  }
  std::string_view const whole = mantissa.substr(0, point), rest = mantissa.substr(point + 1);
  return (is_digits(whole) && (rest.empty() || is_digits(rest))) ||
         (whole.empty() && is_digits(rest));
}

void append_string(std::string_view text, std::string& out) {
  out += '"';
  for (char const c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

// JSON allows neither a plus sign, nor leading zeros, nor a bare point.
void append_number(std::string_view text, std::string& out) {
  if (text[0] == '+') {
    text.remove_prefix(1);
  }
  if (text[0] == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  while (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') {
    text.remove_prefix(1);
  }
  if (text[0] == '.') {
    out += '0';
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    bool const digit_follows = i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9';
    if (text[i] == '.' && !digit_follows) {
      out += '0';
    }
  }
}

void append_json(YamlNode const& node, std::string& out) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      out += "null";
      return;
    case YamlNode::Kind::list: {
      out += '[';
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (i > 0) {
          out += ", ";
        }
        append_json(node.items[i], out);
      }
      out += ']';
      return;
    }
    case YamlNode::Kind::map: {
      out += '{';
      for (std::size_t i = 0; i < node.entries.size(); ++i) {
        if (i > 0) {
          out += ", ";
        }
        append_string(node.entries[i].key.text, out);
        out += ": ";
        append_json(node.entries[i].value, out);
      }
      out += '}';
      return;
    }
    case YamlNode::Kind::scalar:
      break;
  }
  switch (plain_type(node)) {
    case PlainType::null:
      out += "null";
      return;
    case PlainType::boolean:
      out += node.text[0] == 't' || node.text[0] == 'T' ? "true" : "false";
      return;
    case PlainType::integer:
    case PlainType::number:
      append_number(node.text, out);
      return;
    case PlainType::text:
      append_string(node.text, out);
      return;
  }
}

}  // namespace

PlainType plain_type(YamlNode const& node) {
  if (node.is_null()) {
    return PlainType::null;
  }
  if (!node.is_plain()) {
    return PlainType::text;
  }
  std::string const& text = node.text;
  for (char const* const word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    if (text == word) {
      return PlainType::boolean;
    }
  }
  if (is_integer(text)) {
    return PlainType::integer;
  }
  return is_number(text) ? PlainType::number : PlainType::text;
}

std::string json_of(YamlNode const& node) {
  std::string out;
  append_json(node, out);
  return out;
}

YamlDocument read_yaml(std::string const& text, std::vector<std::string> const& lines,
                       FilledPlaces const& places, std::uint8_t source) {
  YamlDocument out;
  Builder builder(out.faults);
  std::istringstream stream(text);
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    YamlDocument rest;
    Builder second(rest.faults);
    if (parser.HandleNextDocument(second)) {
      out.faults.push_back({second.root.at, 1, "a second document in one file", {}});
    }
  } catch (YAML::Exception const& e) {
    out.parsed = false;
    Position const at{e.mark.line + 1, e.mark.column + 1};
    out.faults.push_back({places.before(at), 1, "not YAML: " + e.msg, {}});
    return out;
  } catch (TooLarge const&) {
    out.parsed = false;
    out.faults.push_back({{1, 1}, 1, "aliases make this file too large", {}});
    return out;
  }
  out.root = std::move(builder.root);
  Finisher{lines, places, source, out.faults}.finish(out.root, {});
  return out;
}

}  // namespace windrow
