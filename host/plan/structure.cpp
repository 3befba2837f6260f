#include "host/plan/structure.hpp"

#include <fmt/format.h>

#include <memory>
#include <set>

#include "host/plan/keys.hpp"
#include "host/plan/secrets.hpp"
#include "host/plan/structure_scope.hpp"
#include "host/plan/transform_order.hpp"

namespace windrow {
namespace {

class StructureReader {
 public:
  explicit StructureReader(Context& context) : report_(context.report) {}

  std::vector<WrittenTransform> read(YamlNode const& pipeline) {
    Composite root;
    root.node = &pipeline;
    root.label = "pipeline";
    Keys const keys(report_, &pipeline, pipeline, pipeline_keys(), "pipeline", "pipeline");
    root.chain = keys.text("type") == "chain";
    fill(root, "");
    resolve_inputs(report_, root, flat_);
    push_windowing(root, flat_);
    return inputs_first(std::move(flat_), report_);
  }

 private:
  void fill(Composite& scope, std::string const& prefix) {
    if (YamlNode const* const windowing = scope.node->find("windowing");
        windowing != nullptr && !windowing->is_null()) {
      scope.windowing.push_back(windowing);
    }
    YamlNode const* const extra = scope.node->find("extra_transforms");
    if (YamlNode const* const source = scope.node->find("source")) {
      add(scope, *source, prefix);
    }
    if (YamlNode const* const transforms = scope.node->find("transforms")) {
      add_list(scope, *transforms, prefix);
    }
    if (YamlNode const* const sink = scope.node->find("sink")) {
      add(scope, *sink, prefix);
    }
    scope.chain_length = scope.entries.size();
    if (scope.entries.empty()) {
      report_.add("E104", *scope.node, fmt::format("{} has no transforms", scope.label));
    }
    if (extra != nullptr && !extra->is_null()) {
      if (!scope.chain) {
        report_.add("E100", *scope.node->find_key("extra_transforms"),
                    "'extra_transforms' belong to a chain");
      }
      add_list(scope, *extra, prefix);
    }
    if (!scope.chain) {
      return;
    }
    for (std::size_t i = 0; i < scope.chain_length; ++i) {
      Entry& entry = scope.entries[i];
      entry.in_chain = true;
      if (i > 0) {
        entry.before = i - 1;
      }
      for (char const* const key : {"input", "output"}) {
        YamlNode const* const given = entry.node->find_key(key);
        if (given != nullptr && !entry.node->find(key)->is_null()) {
          report_.add("E103", *given, fmt::format("'{}' is not allowed in a chain", key));
        }
      }
    }
  }

  void add_list(Composite& scope, YamlNode const& list, std::string const& prefix) {
    if (!list.is_list()) {
      if (!list.is_null()) {
        report_.add("E141", list, fmt::format("transforms must be a list, is {}", kind_of(list)));
      }
      return;
    }
    for (YamlNode const& item : list.items) {
      add(scope, item, prefix);
    }
  }

  void add(Composite& scope, YamlNode const& node, std::string const& prefix) {
    if (node.is_null()) {
      return;
    }
    if (!node.is_map()) {
      report_.add("E141", node, fmt::format("a transform must be a map, is {}", kind_of(node)));
      return;
    }
    YamlNode const* const type = node.find("type");
    std::string const label = label_of(node);
    bool const composite = type != nullptr && (type->text == "composite" || type->text == "chain");
    Keys const keys(report_, &node, node, composite ? composite_keys() : transform_keys(), label,
                    "transform");
    Entry entry;
    entry.node = &node;
    entry.type = keys.text("type");
    entry.name = keys.has("name") ? keys.text("name") : entry.type;
    std::string const full = unique(prefix + (entry.name.empty() ? "unnamed" : entry.name));
    if (composite) {
      entry.composite = std::make_unique<Composite>();
      entry.composite->node = &node;
      entry.composite->label = label;
      entry.composite->parent = &scope;
      entry.composite->chain = entry.type == "chain";
      entry.composite->own = scope.entries.size();
      fill(*entry.composite, full + '/');
    } else {
      WrittenTransform leaf;
      leaf.node = &node;
      leaf.type_node = type == nullptr ? &node : type;
      leaf.name = full;
      leaf.label = label;
      leaf.type = entry.type;
      leaf.config = keys.find("config");
      leaf.spec = find_transform(entry.type);
      if (keys.has("type")) {
        check_type(leaf);
      }
      if (leaf.spec == nullptr || !leaf.spec->built) {
        leaf.ok = false;
        hide_secrets(leaf.config);
      }
      entry.leaf = flat_.size();
      flat_.push_back(std::move(leaf));
    }
    scope.entries.push_back(std::move(entry));
  }

  // Which keys of a transform that is not known hold secrets, only their names say.
  void hide_secrets(YamlNode const* config) {
    for (YamlEntry const& entry : config == nullptr ? std::vector<YamlEntry>{} : config->entries) {
      if (is_secret_name(entry.key.text) && entry.value.is_scalar()) {
        report_.hide(entry.value.text);
      }
    }
  }

  static std::string label_of(YamlNode const& node) {
    YamlNode const* const name = node.find("name");
    if (name != nullptr && name->is_scalar()) {
      return fmt::format("'{}'", name->text);
    }
    YamlNode const* const type = node.find("type");
    return type != nullptr && type->is_scalar() ? fmt::format("'{}'", type->text) : "transform";
  }

  void check_type(WrittenTransform const& leaf) {
    if (leaf.spec != nullptr) {
      if (!leaf.spec->built) {
        report_.add("E101", *leaf.type_node,
                    fmt::format("transform '{}' is not built yet", leaf.type));
      } else if (leaf.spec->windrow) {
        report_.add_on_beam(OnBeam::refused, *leaf.type_node,
                            fmt::format("transform '{}' is Windrow's own", leaf.type), leaf.type);
      }
      return;
    }
    std::vector<std::string> legal{"composite", "chain"};
    for (TransformSpec const& spec : transform_table()) {
      legal.emplace_back(spec.type);
    }
    report_.add("E101", *leaf.type_node,
                fmt::format("transform '{}' is not supported by Windrow", leaf.type),
                did_you_mean(leaf.type, legal));
  }

  std::string unique(std::string name) {
    std::string out = name;
    for (int n = 2; !names_.insert(out).second; ++n) {
      out = fmt::format("{}#{}", name, n);
    }
    return out;
  }

  Report& report_;
  std::vector<WrittenTransform> flat_;
  std::set<std::string> names_;
};

}  // namespace

std::vector<WrittenTransform> read_structure(Context& context, YamlNode const& pipeline) {
  return StructureReader{context}.read(pipeline);
}

}  // namespace windrow
