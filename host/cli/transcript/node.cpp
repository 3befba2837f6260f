#include "host/cli/transcript/node.hpp"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <yaml-cpp/yaml.h>

#include <stdexcept>

namespace windrow::transcript {

Node Node::plain(std::string text) {
  Node node;
  node.kind = Kind::scalar;
  node.text = std::move(text);
  return node;
}
Node Node::string(std::string text) {
  Node node = plain(std::move(text));
  node.quoted = true;
  return node;
}
Node Node::list(std::vector<Node> items) {
  Node node;
  node.kind = Kind::list;
  node.items = std::move(items);
  return node;
}
Node Node::map(std::vector<std::pair<std::string, Node>> fields) {
  Node node;
  node.kind = Kind::map;
  node.fields = std::move(fields);
  return node;
}

Node const* Node::find(std::string_view name) const {
  for (auto const& [key, value] : fields) {
    if (key == name) {
      return &value;
    }
  }
  return nullptr;
}
Node& Node::operator[](std::string_view name) {
  for (auto& [key, value] : fields) {
    if (key == name) {
      return value;
    }
  }
  kind = Kind::map;
  return fields.emplace_back(std::string(name), Node{}).second;
}

namespace {

Node of_yaml(YAML::Node const& yaml) {
  switch (yaml.Type()) {
    case YAML::NodeType::Scalar: {
      Node node = Node::plain(yaml.Scalar());
      node.quoted = yaml.Tag() == "!";
      return node;
    }
    case YAML::NodeType::Sequence: {
      Node node = Node::list();
      for (auto const& item : yaml) {
        node.items.push_back(of_yaml(item));
      }
      return node;
    }
    case YAML::NodeType::Map: {
      Node node = Node::map();
      for (auto const& item : yaml) {
        node.fields.emplace_back(item.first.Scalar(), of_yaml(item.second));
      }
      return node;
    }
    default:
      return {};
  }
}

// Builds the tree from parser events; numbers stay as they were written, so none loses a digit.
struct TreeBuilder : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, TreeBuilder> {
  bool Null() { return add({}); }
  bool Bool(bool value) { return add(Node::plain(value ? "true" : "false")); }
  bool RawNumber(char const* text, rapidjson::SizeType size, bool) {
    return add(Node::plain({text, size}));
  }
  bool String(char const* text, rapidjson::SizeType size, bool) {
    return add(Node::string({text, size}));
  }
  bool StartObject() { return open(Node::map()); }
  bool Key(char const* text, rapidjson::SizeType size, bool) {
    open_.back().fields.emplace_back(std::string(text, size), Node{});
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool StartArray() { return open(Node::list()); }
  bool EndArray(rapidjson::SizeType) { return close(); }

  bool add(Node node) {
    if (open_.empty()) {
      root = std::move(node);
    } else if (open_.back().is_map()) {
      open_.back().fields.back().second = std::move(node);
    } else {
      open_.back().items.push_back(std::move(node));
    }
    return true;
  }
  bool open(Node node) {
    open_.push_back(std::move(node));
    return true;
  }
  bool close() {
    Node node = std::move(open_.back());
    open_.pop_back();
    return add(std::move(node));
  }

  Node root;
  std::vector<Node> open_;
};

void append_flow(Node const& node, std::string& out) {
  switch (node.kind) {
    case Node::Kind::null:
      out += "null";
      break;
    case Node::Kind::scalar:
      if (!node.quoted && !node.text.empty() &&
          node.text.find_first_of(",[]{}:#&*!|>'\"%@`\n") == std::string::npos) {
        out += node.text;
      } else {
        out += '"';
        for (char const c : node.text) {
          if (c == '"' || c == '\\') {
            out += '\\';
          }
          if (c == '\n') {
            out += "\\n";
          } else {
            out += c;
          }
        }
        out += '"';
      }
      break;
    case Node::Kind::list:
      out += '[';
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        if (i > 0) {
          out += ", ";
        }
        append_flow(node.items[i], out);
      }
      out += ']';
      break;
    case Node::Kind::map:
      out += '{';
      for (std::size_t i = 0; i < node.fields.size(); ++i) {
        if (i > 0) {
          out += ", ";
        }
        out += node.fields[i].first + ": ";
        append_flow(node.fields[i].second, out);
      }
      out += '}';
      break;
  }
}

void write_json(Node const& node, rapidjson::Writer<rapidjson::StringBuffer>& out) {
  switch (node.kind) {
    case Node::Kind::null:
      out.Null();
      break;
    case Node::Kind::scalar:
      if (node.quoted) {
        out.String(node.text.data(), static_cast<rapidjson::SizeType>(node.text.size()));
      } else {  // a number or boolean, as it was written
        out.RawValue(node.text.data(), node.text.size(), rapidjson::kNumberType);
      }
      break;
    case Node::Kind::list:
      out.StartArray();
      for (Node const& item : node.items) {
        write_json(item, out);
      }
      out.EndArray();
      break;
    case Node::Kind::map:
      out.StartObject();
      for (auto const& [name, value] : node.fields) {
        out.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
        write_json(value, out);
      }
      out.EndObject();
      break;
  }
}

}  // namespace

std::vector<Node> parse_yaml(std::string const& text) {
  std::vector<Node> documents;
  for (YAML::Node const& yaml : YAML::LoadAll(text)) {
    if (!yaml.IsNull()) {
      documents.push_back(of_yaml(yaml));
    }
  }
  return documents;
}

Node parse_json(std::string_view line) {
  rapidjson::MemoryStream stream(line.data(), line.size());
  rapidjson::Reader reader;
  TreeBuilder builder;
  reader.Parse<rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseNanAndInfFlag>(stream,
                                                                                       builder);
  if (reader.HasParseError()) {
    throw std::runtime_error("transcript: a line is not JSON");
  }
  return std::move(builder.root);
}

std::string to_json(Node const& node) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  write_json(node, writer);
  return {buffer.GetString(), buffer.GetSize()};
}

std::string to_flow(Node const& node) {
  std::string out;
  append_flow(node, out);
  return out;
}

}  // namespace windrow::transcript
