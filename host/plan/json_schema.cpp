#include "host/plan/json_schema.hpp"

#include <fmt/format.h>

#include <vector>

#include "host/plan/aggregate_table.hpp"
#include "host/plan/graph.hpp"
#include "host/plan/json_schema_forms.hpp"
#include "host/plan/keys.hpp"
#include "host/plan/trigger_reader.hpp"

namespace windrow {
namespace {

using KeySpecs = std::span<KeySpec const>;

class SchemaWriter : SchemaForms {
 public:
  std::string write() {
    object([&] {
      text("$schema", "http://json-schema.org/draft-07/schema#");
      text("title", "Windrow pipeline");
      with("if", [&] { has_key("pipelines"); });
      with("then", [&] { ref("list"); });
      with("else", [&] { ref("file"); });
      with("definitions", [&] {
        object([&] {
          scalars();
          with("file", [&] { map_of(file_keys()); });
          with("list", [&] { map_of(list_keys()); });
          with("pipeline", [&] { map_of(pipeline_keys()); });
          with("transform", [&] { transform(); });
          with("windowing", [&] { windowing(); });
          with("trigger", [&] { trigger(); });
          with("aggregate", [&] { aggregate(); });
          with("input", [&] {
            any_of({[&] { ref("text"); }, [&] { list_of([&] { ref("input"); }); },
                    [&] { map_to([&] { ref("input"); }); }});
          });
          with("test", [&] { map_of(test_keys()); });
          with("action", [&] { map_of(transcript_keys()); });
        });
      });
    });
    return take();
  }

 private:
  // A value from the environment may stand where no text may.
  void scalars() {
    auto const or_environment = [&](std::string_view name, std::vector<Build> ways) {
      ways.push_back([&] { pattern("\\$\\{"); });
      with(name, [&] { any_of(ways); });
    };
    with("text", [&] { object([&] { words("type", {"string", "number", "boolean"}); }); });
    or_environment("boolean", {[&] { type("boolean"); }});
    or_environment("integer", {[&] { type("integer"); }});
    or_environment("number", {[&] { type("number"); }});
    or_environment("duration",
                   {[&] { type("number"); },
                    [&] { pattern("^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)(us|ms|s|m|h|d)?$"); }});
    or_environment(
        "bytes", {[&] { type("integer"); }, [&] { pattern("^[0-9.]+ *([kKMGT]B|[KMGT]iB|B)?$"); }});
  }

  // The value of one key; `null` stands for "not given".
  void property(KeySpec const& spec) {
    with(spec.name, [&] {
      object([&] {
        text("description", description(spec));
        std::vector<Build> ways{[&] { value_of(spec); }};
        if (spec.fallback != required_key) {
          ways.push_back([&] { type("null"); });
        }
        list("anyOf", ways);
      });
    });
  }
  static std::string description(KeySpec const& spec) {
    std::string out{spec.meaning};
    if (spec.fallback == required_key) {
      out += " (required)";
    } else if (!spec.fallback.empty()) {
      out += fmt::format(" (default: {})", spec.fallback);
    }
    return spec.windrow ? out + "; Windrow's own" : out;
  }

  void properties(KeySpecs specs) {
    with("properties", [&] {
      object([&] {
        for (KeySpec const& spec : specs) {
          if (spec.built) {
            property(spec);
          } else if (spec.type == KeyType::map) {  // an empty one asks for nothing
            with(spec.name, [&] {
              object([&] {
                text("type", "object");
                number("maxProperties", 0);
              });
            });
          }
        }
      });
    });
  }
  static std::vector<std::string> required_of(KeySpecs specs) {
    std::vector<std::string> names;
    for (KeySpec const& spec : specs) {
      if (spec.fallback == required_key) {
        names.emplace_back(spec.name);
      }
    }
    return names;
  }
  void map_of(
      KeySpecs specs, Build const& more = [] {}) {
    object([&] {
      text("type", "object");
      if (std::vector<std::string> const names = required_of(specs); !names.empty()) {
        words("required", names);
      }
      properties(specs);
      nothing_else();
      more();
    });
  }

  void value_of(KeySpec const& spec) {
    switch (spec.type) {
      case KeyType::text:
      case KeyType::url:
      case KeyType::expression:
        return ref("text");
      case KeyType::boolean:
        return ref("boolean");
      case KeyType::integer:
      case KeyType::number:
        return number_of(spec);
      case KeyType::shares:
        return shares();
      case KeyType::duration:
        return ref("duration");
      case KeyType::duration_or_none:
        return any_of({[&] { ref("duration"); }, [&] { one_of_words({"none"}); }});
      case KeyType::bytes:
        return ref("bytes");
      case KeyType::bytes_or_share:
        return any_of({[&] { ref("bytes"); }, [&] { pattern("^[0-9.]+ *%$"); }});
      case KeyType::device:
        return any_of({[&] { pattern("^(auto|cpu|cuda(:([0-9]+|(GPU|MIG)-[0-9A-Za-z/-]+))?)$"); },
                       [&] { pattern("\\$\\{"); }});
      case KeyType::choice:
        return any_of({[&] { one_of_words(choices_of(spec)); }, [&] { pattern("\\$\\{"); }});
      case KeyType::texts:
        return list_of([&] { ref("text"); });
      case KeyType::texts_or_text:
        return any_of({[&] { ref("text"); }, [&] { list_of([&] { ref("text"); }); }});
      case KeyType::secret:
        return any_of({[&] { ref("text"); },
                       [&] {
                         closed({"env"}, {{"env", [&] { ref("text"); }}});
                       },
                       [&] {
                         closed({"file"}, {{"file", [&] { ref("text"); }}});
                       }});
      case KeyType::map:
      case KeyType::structure:
        return spec.inner.empty() ? type("object") : map_of(spec.inner);
      case KeyType::expressions:
        return map_to([&] { expression(); });
      case KeyType::trigger:
        return ref("trigger");
      case KeyType::windowing:
        return any_of({[&] { ref("windowing"); }, [&] { type("string"); }});
      case KeyType::schema:
        return any_of({[&] { type("object"); }, [&] { type("string"); }});
      case KeyType::elements:
        return spec.inner.empty() ? type("array") : list_of([&] { map_of(spec.inner); });
      case KeyType::aggregates:
        return map_to([&] { ref("aggregate"); });
      case KeyType::columns:
        return columns();
      case KeyType::windowing_info:
        return any_of({[&] { list_of([&] { ref("text"); }); },
                       [&] { map_to([&] { ref("text"); }); }, [&] { ref("text"); }});
      case KeyType::start:
        return any_of({[&] {
                         one_of_words({"earliest", "latest", "group_offsets"});
                       },
                       [&] { pattern("\\$\\{"); },
                       [&] {
                         closed({"timestamp"}, {{"timestamp", [&] { ref("text"); }}});
                       }});
      case KeyType::ratio:
        return ref("text");
      case KeyType::pipeline:
        return ref("pipeline");
      case KeyType::pipelines:
        return list_of([&] { ref("file"); });
      case KeyType::options:
        return options();
      case KeyType::transform:
        return ref("transform");
      case KeyType::transforms:
        return list_of([&] { any_of({[&] { ref("transform"); }, [&] { type("null"); }}); });
      case KeyType::input:
        return ref("input");
      case KeyType::output:
        return any_of({[&] { ref("text"); }, [&] { map_to([&] { ref("text"); }); }});
      case KeyType::tests:
        return list_of([&] { ref("test"); });
      case KeyType::test_rows:
        return list_of([&] { map_of(test_row_keys()); });
      case KeyType::transcript:
        return list_of([&] { ref("action"); });
      case KeyType::anything:
        return object([] {});
    }
  }
  void number_of(KeySpec const& spec) {
    bool const integer = spec.type == KeyType::integer;
    if (spec.least == INT64_MIN) {
      return ref(integer ? "integer" : "number");
    }
    any_of({[&] {
              object([&] {
                text("type", integer ? "integer" : "number");
                number(integer ? "minimum" : "exclusiveMinimum", spec.least);
                if (spec.most != INT64_MAX) {
                  number("maximum", spec.most);
                }
              });
            },
            [&] { pattern("\\$\\{"); }});
  }
  void shares() {
    Build const share = [&] {
      any_of({[&] {
                object([&] {
                  text("type", "number");
                  number("minimum", 0);
                  number("maximum", 1);
                });
              },
              [&] { pattern("\\$\\{"); }});
    };
    any_of({share, [&] {
              object([&] {
                text("type", "array");
                with("items", share);
                number("minItems", 1);
                number("maxItems", quantiles_max);
              });
            }});
  }
  void expression() {
    any_of({[&] { ref("text"); },
            [&] {
              closed({"expression"},
                     {{"expression", [&] { ref("text"); }}, {"output_type", [&] { ref("text"); }}});
            }});
  }
  void columns() {
    Members members;
    for (Field const& column : pane_columns().fields) {
      members.emplace_back(column.name, [&] { ref("text"); });
    }
    closed({}, members);
  }
  void options() {
    object([&] {
      text("type", "object");
      with("properties", [&] {
        object([&] {
          with("allow_unsafe_triggers", [&] { ref("boolean"); });
          with("windrow", [&] {
            any_of({[&] { map_of(settings_keys()); }, [&] { type("null"); }});
          });
        });
      });
    });
  }

  void transform() {
    object([&] {
      with("if", [&] { is_type({"composite", "chain"}); });
      with("then", [&] { map_of(composite_keys()); });
      with("else", [&] { leaf(); });
    });
  }
  void leaf() {
    std::vector<std::string> types{"composite", "chain"};
    for (TransformSpec const& spec : transform_table()) {
      if (spec.built) {
        types.emplace_back(spec.type);
      }
    }
    std::vector<Build> rules{[&] {
      object([&] {
        with("properties", [&] { object([&] { with("type", [&] { one_of_words(types); }); }); });
      });
    }};
    for (TransformSpec const& spec : transform_table()) {
      if (spec.built) {
        rules.push_back([&] { object([&] { config_of(spec); }); });
      }
    }
    map_of(transform_keys(), [&] { list("allOf", rules); });
  }
  void is_type(std::vector<std::string> const& names) {
    object([&] {
      words("required", {"type"});
      with("properties", [&] { object([&] { with("type", [&] { one_of_words(names); }); }); });
    });
  }
  void config_of(TransformSpec const& spec) {
    with("if", [&] { is_type({std::string{spec.type}}); });
    with("then", [&] {
      object([&] {
        bool const needed = !required_of(spec.keys).empty();
        if (needed) {
          words("required", {"config"});
        }
        with("properties", [&] {
          object([&] {
            with("config", [&] {
              if (needed) {
                return map_of(spec.keys);
              }
              any_of({[&] { map_of(spec.keys); }, [&] { type("null"); }});
            });
          });
        });
      });
    });
  }
  // Beam's keys need `type`, ours inherit it.
  void windowing() {
    KeySpecs const specs = windowing_keys();
    object([&] {
      text("type", "object");
      properties(specs);
      nothing_else();
      with("dependencies", [&] {
        object([&] {
          for (KeySpec const& spec : specs) {
            if (spec.built && !spec.windrow && spec.name != "type") {
              words(spec.name, {"type"});
            }
          }
        });
      });
    });
  }

  void trigger() {
    using Shape = TriggerSpec::Shape;
    std::vector<std::string> names;
    Members members;
    for (TriggerSpec const& spec : trigger_table()) {
      if (spec.shape == Shape::name || spec.shape == Shape::parts) {
        names.emplace_back(spec.name);
      }
      members.emplace_back(spec.name, [&] { trigger_value(spec); });
    }
    any_of({[&] { one_of_words(names); },
            [&] {
              closed({}, members, [&] {
                number("minProperties", 1);
                number("maxProperties", 1);
              });
            }});
  }
  // Also in the JSON spelling of Beam's proto.
  void trigger_value(TriggerSpec const& spec) {
    Build const t = [&] { ref("trigger"); };
    Build const none = [&] { type("null"); };
    switch (spec.shape) {
      case TriggerSpec::Shape::name:
        return any_of({none, [&] { closed({}, {}); }});
      case TriggerSpec::Shape::count: {
        Build const count = [&] {
          any_of({[&] {
                    object([&] {
                      text("type", "integer");
                      number("minimum", 1);
                    });
                  },
                  [&] { pattern("\\$\\{"); }});
        };
        return any_of({count, [&] { closed({"element_count"}, {{"element_count", count}}); }});
      }
      case TriggerSpec::Shape::processing_time:
        return any_of({none, [&] { ref("duration"); }, [&] { timestamp_transforms(); }});
      case TriggerSpec::Shape::parts: {
        Build const part = [&] { any_of({t, none}); };
        return any_of({none, [&] {
                         closed({}, {{"early_firings", part}, {"late_firings", part}});
                       }});
      }
      case TriggerSpec::Shape::pair:
        return closed({"main", "finally"}, {{"main", t}, {"finally", t}});
      case TriggerSpec::Shape::one:
        return any_of({t, [&] { closed({"subtrigger"}, {{"subtrigger", t}}); }});
      case TriggerSpec::Shape::list: {
        Build const several = [&] {
          object([&] {
            text("type", "array");
            with("items", t);
            number("minItems", 2);
          });
        };
        return any_of({several, [&] { closed({"subtriggers"}, {{"subtriggers", several}}); }});
      }
    }
  }
  void timestamp_transforms() {
    Build const time = [&] { ref("duration"); };
    Build const delay = [&] {
      any_of({time, [&] { closed({}, {{"delay_millis", [&] { ref("integer"); }}}); }});
    };
    Build const align = [&] { closed({"period"}, {{"period", time}, {"offset", time}}); };
    closed({}, {{"timestamp_transforms", [&] {
                   list_of([&] {
                     closed({}, {{"delay", delay}, {"align_to", align}}, [&] {
                       number("minProperties", 1);
                       number("maxProperties", 1);
                     });
                   });
                 }}});
  }

  // {out: fn}, {out: {value: .., fn: ..}}; with language sql {out: "sum(x)"}.
  void aggregate() {
    Build const fn = [&] {
      std::vector<std::string> names;
      std::vector<Build> ways{[&] { one_of_words(names); }};
      for (AggregateSpec const& spec : aggregate_table()) {
        if (required_of(spec.config).empty()) {
          names.emplace_back(spec.name);
        }
        ways.push_back([&] {
          closed(required_of(spec.config).empty() ? std::vector<std::string>{"type"}
                                                  : std::vector<std::string>{"type", "config"},
                 {{"type", [&] { one_of_words({std::string{spec.name}}); }},
                  {"config", [&] { map_of(spec.config); }}});
        });
      }
      any_of(ways);
    };
    any_of({fn, [&] { pattern("\\("); },
            [&] {
              closed({"fn"},
                     {{"fn", fn},
                      {"value", [&] {
                         any_of({[&] { ref("text"); }, [&] { map_to([&] { ref("text"); }); }});
                       }}});
            }});
  }
};

}  // namespace

std::string json_schema() { return SchemaWriter{}.write(); }

}  // namespace windrow
