// A look at every value of a record, also those that no field wants.
#include <utility>

#include "ingest/json_value.hpp"

namespace windrow::json {
namespace {

Read validate(ondemand::value& value, int depth) {
  std::string_view const token = token_of(value);
  switch (token.empty() ? '\0' : token[0]) {
    case '{': {
      ondemand::object object;
      if (value.get_object().get(object) != simdjson::SUCCESS) {
        return Read::broken;
      }
      return validate_object(object, depth + 1);
    }
    case '[': {
      ondemand::array array;
      if (value.get_array().get(array) != simdjson::SUCCESS) {
        return Read::broken;
      }
      std::size_t count = 0;
      return validate_array(array, depth + 1, count);
    }
    case '"': {
      std::string_view text;
      return value.get_string().get(text) == simdjson::SUCCESS ? Read::ok : Read::broken;
    }
    default:
      break;
  }
  bool const sound = token == "true" || token == "false" || token == "null" ||
                     number_form(token) != NumberForm::none;
  return sound ? Read::ok : Read::broken;
}

}  // namespace

Read validate_array(ondemand::array& array, int depth, std::size_t& count) {
  if (depth > value_depth_max) {
    return Read::too_deep;
  }
  for (auto item : array) {
    ondemand::value value;
    if (std::move(item).get(value) != simdjson::SUCCESS) {
      return Read::broken;
    }
    Read const read = validate(value, depth);
    if (read != Read::ok) {
      return read;
    }
    count += 1;
  }
  return Read::ok;
}

Read validate_object(ondemand::object& object, int depth) {
  if (depth > value_depth_max) {
    return Read::too_deep;
  }
  for (auto item : object) {
    ondemand::field field;
    std::string_view name;
    if (std::move(item).get(field) != simdjson::SUCCESS ||
        field.unescaped_key().get(name) != simdjson::SUCCESS) {
      return Read::broken;
    }
    Read const read = validate(field.value(), depth);
    if (read != Read::ok) {
      return read;
    }
  }
  return Read::ok;
}

}  // namespace windrow::json
