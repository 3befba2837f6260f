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

// What Apache Beam does with a part of a file that it does not take as Windrow does.
//   refused  the whole file, while the pipeline is built and before any data is read
//   ignored  nothing: it means nothing there
//   differs  it runs, with the meaning that the text says
enum class OnBeam : std::uint8_t { refused, ignored, differs };

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
  // `own_key`: its name in the list of Windrow's own keys; empty if the key is Beam's.  What stands
  // outside of the pipeline file (-c, --set) Beam never sees.
  void add_on_beam(OnBeam what, YamlNode const& at, std::string text, std::string own_key = {});

  // file:line:column
  [[nodiscard]] std::string place_of(YamlNode const& node) const;
  [[nodiscard]] std::vector<std::string> const& lines(std::uint8_t source) const {
    return texts_[source].lines;
  }
  // In order of place; secrets blackened; equal findings once.
  [[nodiscard]] std::vector<Finding> take();
  // What add_on_beam was told, in the same form, without what lies inside of something refused.
  [[nodiscard]] std::vector<Finding> take_on_beam();
  // Keys of Windrow's own that the file uses.
  [[nodiscard]] std::set<std::string> const& windrow_keys() const { return windrow_keys_; }

 private:
  using Placed = std::vector<std::pair<std::uint8_t, Finding>>;  // with the index of its text
  [[nodiscard]] Finding placed(std::uint8_t source, Position at, int length, std::string path,
                               std::string text) const;
  [[nodiscard]] std::vector<Finding> sorted(Placed& findings) const;
  struct Text {
    std::string name;
    std::vector<std::string> lines;
  };
  std::vector<Text> texts_;
  std::vector<std::string> secrets_;
  Placed findings_, on_beam_;
  std::set<std::string> windrow_keys_;
};

// "did you mean 'x'?", or "".
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<std::string const> names);

}  // namespace windrow
