// The forms of a JSON Schema that that of pipeline files needs, written one after another.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace windrow {

// Every function writes one value, or one member where it takes a name.
class SchemaForms {
 public:
  using Build = std::function<void()>;  // writes one value
  using Members = std::vector<std::pair<std::string_view, Build>>;

  SchemaForms();
  ~SchemaForms();
  SchemaForms(SchemaForms const&) = delete;  // builders hold its address
  SchemaForms& operator=(SchemaForms const&) = delete;
  [[nodiscard]] std::string take() const;

  // ---- JSON
  void object(Build const& members);
  void with(std::string_view name, Build const& build);
  void text(std::string_view name, std::string_view value);
  void words(std::string_view name, std::vector<std::string> const& all);
  void number(std::string_view name, std::int64_t value);
  void list(std::string_view name, std::vector<Build> const& items);

  // ---- JSON Schema
  void ref(std::string_view definition);
  void any_of(std::vector<Build> const& ways);
  void type(std::string_view name);
  void one_of_words(std::vector<std::string> const& all);
  void pattern(std::string_view regex);
  void list_of(Build const& item);
  void map_to(Build const& member);
  void has_key(std::string_view name);
  void nothing_else();  // a member: the map has no other keys
  // A map of these members and no others; `more` adds to its schema.
  void closed(
      std::vector<std::string> const& required, Members const& members, Build const& more = [] {});

 private:
  struct Output;
  std::unique_ptr<Output> output_;
};

}  // namespace windrow
