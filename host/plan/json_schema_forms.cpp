#include "host/plan/json_schema_forms.hpp"

#include <fmt/format.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

namespace windrow {
namespace {

rapidjson::SizeType size_of(std::string_view text) {
  return static_cast<rapidjson::SizeType>(text.size());
}

}  // namespace

struct SchemaForms::Output {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> json{buffer};
  void key(std::string_view name) { json.Key(name.data(), size_of(name)); }
  void string(std::string_view text) { json.String(text.data(), size_of(text)); }
};

SchemaForms::SchemaForms() : output_(std::make_unique<Output>()) {
  output_->json.SetIndent(' ', 1);
}
SchemaForms::~SchemaForms() = default;

std::string SchemaForms::take() const {
  return {output_->buffer.GetString(), output_->buffer.GetSize()};
}

void SchemaForms::object(Build const& members) {
  output_->json.StartObject();
  members();
  output_->json.EndObject();
}
void SchemaForms::with(std::string_view name, Build const& build) {
  output_->key(name);
  build();
}
void SchemaForms::text(std::string_view name, std::string_view value) {
  output_->key(name);
  output_->string(value);
}
void SchemaForms::words(std::string_view name, std::vector<std::string> const& all) {
  output_->key(name);
  output_->json.StartArray();
  for (std::string const& word : all) {
    output_->string(word);
  }
  output_->json.EndArray();
}
void SchemaForms::number(std::string_view name, std::int64_t value) {
  output_->key(name);
  output_->json.Int64(value);
}
void SchemaForms::list(std::string_view name, std::vector<Build> const& items) {
  output_->key(name);
  output_->json.StartArray();
  for (Build const& item : items) {
    item();
  }
  output_->json.EndArray();
}

void SchemaForms::ref(std::string_view definition) {
  object([&] { text("$ref", fmt::format("#/definitions/{}", definition)); });
}
void SchemaForms::any_of(std::vector<Build> const& ways) {
  object([&] { list("anyOf", ways); });
}
void SchemaForms::type(std::string_view name) {
  object([&] { text("type", name); });
}
void SchemaForms::one_of_words(std::vector<std::string> const& all) {
  object([&] { words("enum", all); });
}
void SchemaForms::pattern(std::string_view regex) {
  object([&] {
    text("type", "string");
    text("pattern", regex);
  });
}
void SchemaForms::list_of(Build const& item) {
  object([&] {
    text("type", "array");
    with("items", item);
  });
}
void SchemaForms::map_to(Build const& member) {
  object([&] {
    text("type", "object");
    with("additionalProperties", member);
  });
}
void SchemaForms::has_key(std::string_view name) {
  object([&] { words("required", {std::string{name}}); });
}
void SchemaForms::nothing_else() {
  output_->key("additionalProperties");
  output_->json.Bool(false);
}
void SchemaForms::closed(std::vector<std::string> const& required, Members const& members,
                         Build const& more) {
  object([&] {
    text("type", "object");
    if (!required.empty()) {
      words("required", required);
    }
    with("properties", [&] {
      object([&] {
        for (auto const& [name, build] : members) {
          with(name, build);
        }
      });
    });
    nothing_else();
    more();
  });
}

}  // namespace windrow
