// Where the checker writes what it finds: turns a node and a text into a Finding with line and
// caret.
#pragma once
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/plan/findings.hpp"
#include "host/plan/yaml_tree.hpp"

namespace windrow {

class Report {
 public:
  // Returns the index of the text: YamlNode::source.
  std::uint8_t add_text(std::string name, std::vector<std::string> lines);
  // A text that findings must never show.
  void hide(std::string secret);

  // Codes are those of codes.hpp; E is refused, W is a warning.
  void add(std::string_view code, YamlNode const& at, std::string text,
           std::string suggestion = {});
  // `length` bytes of a scalar from `offset` on, as far as the text shows them one by one.
  void add_inside(std::string_view code, YamlNode const& at, std::size_t offset, std::size_t length,
                  std::string text, std::string suggestion = {});
  void add_at(std::string_view code, std::uint8_t source, Position at, int length, std::string path,
              std::string text, std::string suggestion = {});

  [[nodiscard]] std::vector<std::string> const& lines(std::uint8_t source) const {
    return texts_[source].lines;
  }
  // In order of place; secrets blackened; equal findings once.
  [[nodiscard]] std::vector<Finding> take();

  std::set<std::string> windrow_keys;  // keys of Windrow's own that were used

 private:
  struct Text {
    std::string name;
    std::vector<std::string> lines;
  };
  std::vector<Text> texts_;
  std::vector<std::string> secrets_;
  std::vector<std::pair<std::uint8_t, Finding>> findings_;
};

// "did you mean 'x'?", or "".
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<std::string const> names);

}  // namespace windrow
