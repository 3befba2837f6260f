// What all parts of the checker share while one file is read.
#pragma once
#include <cstdint>
#include <deque>
#include <string>

#include "host/plan/pipeline_file.hpp"
#include "host/plan/report.hpp"

namespace windrow {

struct Context {
  LoadOptions const& options;
  Report report{};
  bool allow_unsafe_triggers = false;
  std::uint64_t memory_limit = 0;         // bytes; 0: none
  std::string application_id{}, state{};  // of the engine settings
  std::deque<YamlNode> documents{};       // texts inside of scalars, read as YAML

  // Reads a scalar's text as YAML (a windowing or JSON Schema in a string).  Parts of a text that
  // stands in the file byte for byte keep their places, others get the scalar's.  Null if it is not
  // YAML.
  YamlNode const* read_inside(YamlNode const& scalar);
};

}  // namespace windrow
