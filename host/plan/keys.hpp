// Reads one map of a pipeline file by its table: unknown, missing, unbuilt and badly typed keys are
// reported once, here; what a getter then gives is well-formed.
#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/model/time.hpp"
#include "host/plan/duration.hpp"
#include "host/plan/key_table.hpp"
#include "host/plan/report.hpp"

namespace windrow {

class Keys {
 public:
  // `map` may be null (nothing given).  `owner`: where a missing key is reported.  `place`: "config
  // of 'Views'".  `table`: "ReadFromKafka", for the list of Windrow's keys.
  Keys(Report& report, YamlNode const* map, YamlNode const& owner, std::span<KeySpec const> specs,
       std::string place, std::string_view table);

  // The value if it is given, not null and of its type.
  [[nodiscard]] YamlNode const* find(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
  // Given at all, well-formed or not.
  [[nodiscard]] bool given(std::string_view name) const;
  // These fall back to the table's default.
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] bool boolean(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const;
  [[nodiscard]] std::optional<double> number(std::string_view name) const;
  [[nodiscard]] std::optional<Duration> duration(std::string_view name) const;
  [[nodiscard]] std::optional<std::uint64_t> bytes(std::string_view name) const;
  // The scalar, or those of the list.
  [[nodiscard]] std::vector<YamlNode const*> texts(std::string_view name) const;
  [[nodiscard]] std::string const& place() const { return place_; }
  [[nodiscard]] bool complete() const { return complete_; }  // no required key is missing

 private:
  [[nodiscard]] bool check(KeySpec const& spec, YamlNode const& value);
  [[nodiscard]] bool check_choice(KeySpec const& spec, YamlNode const& value);
  [[nodiscard]] bool check_shares(KeySpec const& spec, YamlNode const& value);
  void compare_with_beam(YamlNode const& value, ReadDuration const& read);
  [[nodiscard]] KeySpec const& spec_of(std::string_view name) const;
  // "" = none; the default where it is not given.
  [[nodiscard]] std::string scalar(std::string_view name) const;

  Report& report_;
  YamlNode const* map_;
  std::span<KeySpec const> specs_;
  std::string place_;
  std::string_view table_;
  std::set<std::string_view> bad_;
  bool complete_ = true;
};

[[nodiscard]] std::vector<std::string> words_of(std::string_view separated);
[[nodiscard]] std::vector<std::string> choices_of(KeySpec const& spec);  // those that are built
[[nodiscard]] std::optional<std::int64_t> read_integer(std::string_view text);
[[nodiscard]] std::optional<double> read_number(std::string_view text);
[[nodiscard]] std::optional<std::uint64_t> read_bytes(std::string_view text);  // 64 MiB, 2GB, 1024
// "a string", for messages.
[[nodiscard]] std::string kind_of(YamlNode const& node);

}  // namespace windrow
