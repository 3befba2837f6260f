// simdjson's first stage, with the sentinels our walk needs.
#include "ingest/json_index.hpp"

#include <algorithm>
#include <new>

namespace windrow::json {

StructuralIndex::StructuralIndex(std::size_t bytes_max) {
  if (simdjson::get_active_implementation()->create_dom_parser_implementation(
          bytes_max, simdjson::DEFAULT_MAX_DEPTH, stage_) != simdjson::SUCCESS) {
    throw std::bad_alloc();
  }
}

bool StructuralIndex::build(std::string_view text) {
  if (stage_->stage1(reinterpret_cast<std::uint8_t const*>(text.data()), text.size(),
                     simdjson::stage1_mode::regular) != simdjson::SUCCESS) {
    return false;
  }
  // There is room for nine more than bytes_max (set_capacity).
  std::fill_n(stage_->structural_indexes.get() + stage_->n_structural_indexes, 4,
              static_cast<std::uint32_t>(text.size()));
  return true;
}

char* StructuralIndex::unescape(char const* text, char* out) const {
  return reinterpret_cast<char*>(stage_->parse_string(reinterpret_cast<std::uint8_t const*>(text),
                                                      reinterpret_cast<std::uint8_t*>(out)));
}

}  // namespace windrow::json
