// Results of verbs as JSON, indented for people.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace windrow::cli {

// One value: objects and lists are begun and ended.  `key` is null for members of lists and for
// the outermost value.
class JsonText {
 public:
  JsonText();
  ~JsonText();
  JsonText(JsonText const&) = delete;  // a text is written once
  JsonText& operator=(JsonText const&) = delete;
  void begin_object(char const* key = nullptr);
  void end_object();
  void begin_list(char const* key = nullptr);
  void end_list();
  void put(char const* key, std::string_view v);
  void put(char const* key, char const* v) { put(key, std::string_view(v)); }
  void put(char const* key, bool v);
  void put(char const* key, std::int64_t v);
  void put(char const* key, std::uint64_t v);
  void put_null(char const* key);
  [[nodiscard]] std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow::cli
