// One input of the fuzzer of expressions: what is accepted gives for every row a value of the type
// that it was said to have, or a reason.
#pragma once
#include <cstdio>
#include <cstdlib>

#include "host/engine/expression_eval.hpp"
#include "host/plan/context.hpp"
#include "host/plan/expression_reader.hpp"
#include "tests/decoded.hpp"

namespace windrow::testing {

inline Schema expression_schema() {
  auto const field = [](char const* name, ValueType kind, bool nullable) {
    return Field{name, {kind, {}}, nullable};
  };
  Schema schema{{field("i", ValueType::integer, false), field("j", ValueType::integer, true),
                 field("x", ValueType::number, false), field("y", ValueType::number, true),
                 field("s", ValueType::string, false), field("t", ValueType::string, true),
                 field("b", ValueType::boolean, true), field("l", ValueType::list, true),
                 field("o", ValueType::structure, true)}};
  schema.fields.back().type.children = {field("i", ValueType::integer, true),
                                        field("s", ValueType::string, false)};
  return schema;
}

// Rows at the ends of what the fields hold.
struct ExpressionRows {
  DecodedChunk chunk;
  EventBatchView view;
  ExpressionRows() {
    Messages messages;
    for (char const* const row :
         {R"({"i":9223372036854775807,"j":-1,"x":1e308,"y":-0.0,"s":"12","t":"a\"\\","b":true,)"
          R"("l":[1],"o":{"i":3,"s":"x"}})",
          R"({"i":-9223372036854775808,"j":0,"x":"NaN","y":"Infinity","s":"","t":"1_0","b":false,)"
          R"("l":[],"o":{"i":null,"s":""}})",
          R"({"i":0,"x":-9223372036854775808.0,"s":" +1e400 ","o":{"s":"\u00e9"}})",
          R"({"i":7,"j":2,"x":9007199254740993,"y":0.1,"s":"nan","t":"a","b":null,"l":[[{}]]})"}) {
      messages.add(row);
    }
    JsonDecoder decoder({expression_schema(), PayloadFormat::json, {}, false});
    decoder.decode(messages.batch(), 0, messages.batch().records.size(), chunk);
    view = chunk.rows.view();
  }
};

inline void fuzz_expression(std::string_view data) {
  static Schema const schema = expression_schema();
  static ExpressionRows const made;
  static LoadOptions const options;
  EventBatchView const& rows = made.view;
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.text = std::string(data);
  node.at = {1, 1};
  for (Language const language : {Language::generic, Language::python}) {
    Context context{.options = options};
    context.report.add_text("expression", {node.text});
    auto const expression = read_expression(context, node, {schema, language, true, "Fuzz 'It'"});
    if (expression.has_value() == has_errors(context.report.take())) {
      std::fprintf(stderr, "refused without a reason, or accepted with one\n");
      std::abort();
    }
    if (!expression) {
      continue;
    }
    std::string const text = to_string(*expression, schema);
    ExpressionEvaluator evaluator;
    for (std::size_t row = 0; row < rows.rows; ++row) {
      Scalar value;
      if (!evaluator.evaluate(*expression, rows, row, value)) {
        if (evaluator.why().empty()) {
          std::abort();
        }
      } else if (!fits(value, expression->type.kind) ||
                 (value.is_null() && !expression->nullable)) {
        std::string json;
        append_json(value, json);
        std::fprintf(stderr, "%s is of another type in row %zu: %s\n", text.c_str(), row,
                     json.c_str());
        std::abort();
      }
      evaluator.clear();
    }
  }
}

}  // namespace windrow::testing
