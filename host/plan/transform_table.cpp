// All transforms, those that are read first.
#include <algorithm>
#include <vector>

#include "host/plan/key_forms.hpp"

namespace windrow {

std::span<TransformSpec const> transform_table() {
  static std::vector<TransformSpec> const all = [] {
    std::vector<TransformSpec> out;
    for (auto const table : {source_table(), row_table(), sink_table()}) {
      out.insert(out.end(), table.begin(), table.end());
    }
    return out;
  }();
  return all;
}

TransformSpec const* find_transform(std::string_view type) {
  auto const all = transform_table();
  auto const found = std::find_if(all.begin(), all.end(),
                                  [&](TransformSpec const& spec) { return spec.type == type; });
  return found == all.end() ? nullptr : &*found;
}

std::span<KeySpec const> watermark_keys() { return key_forms::watermark_table; }
std::span<KeySpec const> event_time_keys() { return key_forms::event_time_table; }
std::span<KeySpec const> error_handling_keys() { return key_forms::error_handling_table; }

}  // namespace windrow
