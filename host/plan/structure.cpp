#include "host/plan/structure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "host/plan/keys.hpp"
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
    resolve_all(root);
    push_windowing(root);
    return inputs_first(std::move(flat_), report_);
  }

 private:
  // ---- first pass: names
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
    Keys const keys(report_, &node, node, keys_for(type), label, "transform");
    Entry entry;
    entry.node = &node;
    entry.type = keys.text("type");
    entry.name = keys.has("name") ? keys.text("name") : entry.type;
    std::string const full = unique(prefix + (entry.name.empty() ? "unnamed" : entry.name));
    if (entry.type == "composite" || entry.type == "chain") {
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
      }
      entry.leaf = flat_.size();
      flat_.push_back(std::move(leaf));
    }
    scope.entries.push_back(std::move(entry));
  }

  // The keys of a composite stand in the same table; only it may have them.
  static std::span<KeySpec const> keys_for(YamlNode const* type) {
    bool const composite = type != nullptr && (type->text == "composite" || type->text == "chain");
    std::span<KeySpec const> const all = transform_keys();
    constexpr std::size_t of_composites = 4;
    return composite ? all : all.first(all.size() - of_composites);
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
        report_.windrow_keys.insert(std::string{leaf.spec->type});
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

  // ---- second pass: inputs
  void resolve_all(Composite& scope) {
    for (Entry& entry : scope.entries) {
      if (entry.composite) {
        resolve_all(*entry.composite);
      } else {
        resolve_leaf(scope, entry, flat_[*entry.leaf]);
      }
    }
  }

  void resolve_leaf(Composite& scope, Entry const& entry, WrittenTransform& leaf) {
    std::optional<std::vector<WrittenEdge>> const edges = inputs_of(scope, entry);
    if (!edges) {
      leaf.ok = false;
      return;
    }
    leaf.inputs = *edges;
    if (leaf.spec == nullptr) {
      return;
    }
    YamlNode const* const input = entry.node->find("input");
    if (leaf.spec->role == Role::source) {
      if (!leaf.inputs.empty()) {
        report_.add("E102", input != nullptr ? *input : *entry.node,
                    fmt::format("{} is a source and reads no input", leaf.label));
        leaf.inputs.clear();
      }
      return;
    }
    if (leaf.inputs.empty()) {
      report_.add("E104", *entry.node, fmt::format("'input' is missing in {}", leaf.label));
      leaf.ok = false;
    }
    if (input != nullptr && input->is_map() && input->entries.size() > 1 &&
        leaf.type != "Flatten") {
      report_.add("E102", *input,
                  fmt::format("{} reads one input; a list of inputs is flattened", leaf.label));
      leaf.ok = false;
    }
  }

  // None if one of them was refused.  Empty: the entry has none.
  std::optional<std::vector<WrittenEdge>> inputs_of(Composite& scope, Entry const& entry) {
    if (entry.in_chain) {
      if (entry.before) {
        return outputs_of(scope, scope.entries[*entry.before], entry.node, "");
      }
      return scope.parent == nullptr ? std::vector<WrittenEdge>{}
                                     : inputs_of(*scope.parent, scope.parent->entries[scope.own]);
    }
    YamlNode const* const input = entry.node->find("input");
    if (input == nullptr) {
      return std::vector<WrittenEdge>{};
    }
    std::vector<YamlNode const*> refs;
    collect(*input, refs);
    std::vector<WrittenEdge> out;
    bool ok = true;
    for (YamlNode const* const ref : refs) {
      if (!ref->is_scalar()) {
        report_.add("E141", *ref,
                    fmt::format("an input is a name, a list or a map, is {}", kind_of(*ref)));
        ok = false;
        continue;
      }
      std::optional<std::vector<WrittenEdge>> edges = resolve(scope, *ref, &entry);
      if (!edges) {
        ok = false;
        continue;
      }
      for (WrittenEdge& edge : *edges) {
        edge.at = ref;
        out.push_back(edge);
      }
    }
    return ok ? std::optional{out} : std::nullopt;
  }
  static void collect(YamlNode const& input, std::vector<YamlNode const*>& out) {
    if (input.is_list()) {
      for (YamlNode const& item : input.items) {
        out.push_back(&item);
      }
    } else if (input.is_map()) {
      for (YamlEntry const& entry : input.entries) {
        collect(entry.value, out);
      }
    } else if (!input.is_null()) {
      out.push_back(&input);
    }
  }

  std::vector<std::size_t> named(Composite const& scope, std::string_view name) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < scope.entries.size(); ++i) {
      if (scope.entries[i].name == name) {
        found.push_back(i);
      }
    }
    if (!found.empty()) {
      return found;
    }
    for (std::size_t i = 0; i < scope.entries.size(); ++i) {
      if (scope.entries[i].type == name) {
        found.push_back(i);
      }
    }
    return found;
  }

  std::optional<std::vector<WrittenEdge>> resolve(Composite& scope, YamlNode const& ref,
                                                  Entry const* reader) {
    if (std::optional<std::vector<WrittenEdge>> tag; is_tag(scope, ref.text, tag)) {
      return tag;
    }
    std::string name = ref.text, output;
    std::vector<std::size_t> found = named(scope, name);
    if (std::size_t const dot = name.rfind('.'); found.empty() && dot != std::string::npos) {
      output = name.substr(dot + 1);
      name.resize(dot);
      found = named(scope, name);
    }
    if (found.empty()) {
      report_.add("E102", ref, fmt::format("input '{}' names no transform", ref.text),
                  did_you_mean(ref.text, legal_refs(scope)));
      return std::nullopt;
    }
    if (found.size() > 1) {
      report_.add("E102", ref,
                  fmt::format("input '{}' names {} transforms", ref.text, found.size()));
      return std::nullopt;
    }
    Entry& entry = scope.entries[found[0]];
    if (&entry == reader && output.empty()) {
      report_.add("E102", ref, fmt::format("'{}' reads itself", ref.text));
      return std::nullopt;
    }
    return outputs_of(scope, entry, &ref, output);
  }

  // An input of the composite itself, by its tag (`input` where it has but one without).
  bool is_tag(Composite& scope, std::string const& name,
              std::optional<std::vector<WrittenEdge>>& out) {
    if (scope.parent == nullptr || scope.chain) {
      return false;
    }
    YamlNode const* const input = scope.node->find("input");
    if (input == nullptr) {
      return false;
    }
    Entry const& own = scope.parent->entries[scope.own];
    if (!input->is_map()) {
      if (name != "input") {
        return false;
      }
      out = inputs_of(*scope.parent, own);
      return true;
    }
    YamlNode const* const ref = input->find(name);
    if (ref == nullptr) {
      return false;
    }
    if (scope.resolving) {
      report_.add("E102", *ref, fmt::format("input '{}' is part of a cycle", ref->text));
      return true;
    }
    scope.resolving = true;
    out = resolve(*scope.parent, *ref, &own);
    scope.resolving = false;
    return true;
  }

  std::optional<std::vector<WrittenEdge>> outputs_of(Composite& scope, Entry& entry,
                                                     YamlNode const* ref,
                                                     std::string const& output) {
    if (entry.composite) {
      return composite_output(*entry.composite, *ref, output);
    }
    WrittenTransform const& leaf = flat_[*entry.leaf];
    if (output.empty()) {
      if (leaf.spec != nullptr && leaf.spec->role == Role::end) {
        report_.add("E102", *ref, fmt::format("{} writes rows and gives none", leaf.label));
        return std::nullopt;
      }
      return std::vector<WrittenEdge>{{*entry.leaf, false, nullptr}};
    }
    YamlNode const* const handling =
        leaf.config == nullptr ? nullptr : leaf.config->find("error_handling");
    YamlNode const* const name = handling == nullptr ? nullptr : handling->find("output");
    if (name != nullptr && name->text == output) {
      return std::vector<WrittenEdge>{{*entry.leaf, true, nullptr}};
    }
    std::vector<std::string> legal = legal_refs(scope);
    report_.add("E102", *ref, fmt::format("{} has no output '{}'", leaf.label, output),
                did_you_mean(entry.name + '.' + output, legal));
    return std::nullopt;
  }

  std::optional<std::vector<WrittenEdge>> composite_output(Composite& inner, YamlNode const& ref,
                                                           std::string const& output) {
    YamlNode const* const given = inner.node->find("output");
    YamlNode const* target = given;
    if (given != nullptr && given->is_map()) {
      target = output.empty() ? (given->entries.size() == 1 ? &given->entries[0].value : nullptr)
                              : given->find(output);
    } else if (!output.empty()) {
      target = nullptr;
    }
    if (inner.resolving) {
      report_.add("E102", ref, fmt::format("input '{}' is part of a cycle", ref.text));
      return std::nullopt;
    }
    inner.resolving = true;
    std::optional<std::vector<WrittenEdge>> out;
    if (target != nullptr && target->is_scalar()) {
      out = resolve(inner, *target, nullptr);
    } else if (given == nullptr && inner.chain && inner.chain_length > 0) {
      out = outputs_of(inner, inner.entries[inner.chain_length - 1], &ref, output);
    } else {
      report_.add("E102", ref,
                  output.empty() ? fmt::format("{} has no output, or several", inner.label)
                                 : fmt::format("{} has no output '{}'", inner.label, output));
    }
    inner.resolving = false;
    return out;
  }

  std::vector<std::string> legal_refs(Composite const& scope) const {
    std::vector<std::string> out;
    for (Entry const& entry : scope.entries) {
      out.push_back(entry.name);
      out.push_back(entry.type);
      YamlNode const* const config = entry.node->find("config");
      YamlNode const* const handling = config == nullptr ? nullptr : config->find("error_handling");
      if (handling != nullptr && handling->find("output") != nullptr) {
        out.push_back(entry.name + '.' + handling->find("output")->text);
      }
    }
    if (YamlNode const* const input = scope.node->find("input"); input != nullptr) {
      for (YamlEntry const& entry : input->entries) {
        out.push_back(entry.key.text);
      }
      if (!input->is_map()) {
        out.emplace_back("input");
      }
    }
    return out;
  }

  // ---- windowing of composites goes to their roots: what reads nothing of the same composite
  void push_windowing(Composite& scope) {
    std::set<std::size_t> inside;
    leaves(scope, inside);
    for (std::size_t const index : inside) {
      WrittenTransform& leaf = flat_[index];
      YamlNode const* const own = leaf.node->find("windowing");
      bool const has_own = own != nullptr && !own->is_null();
      bool const root =
          std::none_of(leaf.inputs.begin(), leaf.inputs.end(),
                       [&](WrittenEdge const& edge) { return inside.contains(edge.transform); });
      if (root && !has_own && leaf.windowing.empty() && leaf.type != "WindowInto") {
        leaf.windowing = scope.windowing;
      }
    }
    for (Entry& entry : scope.entries) {
      if (!entry.composite) {
        continue;
      }
      // An inner composite's own windowing counts more than that around it.
      if (!entry.composite->windowing.empty()) {
        std::set<std::size_t> inner;
        leaves(*entry.composite, inner);
        for (std::size_t const index : inner) {
          if (flat_[index].windowing == scope.windowing) {
            flat_[index].windowing.clear();
          }
        }
      }
      push_windowing(*entry.composite);
    }
    if (scope.parent != nullptr) {
      return;
    }
    for (WrittenTransform& leaf : flat_) {
      YamlNode const* const own = leaf.node->find("windowing");
      if (own != nullptr && !own->is_null()) {
        leaf.windowing = {own};
      }
    }
  }
  static void leaves(Composite const& scope, std::set<std::size_t>& out) {
    for (Entry const& entry : scope.entries) {
      if (entry.leaf) {
        out.insert(*entry.leaf);
      }
      if (entry.composite) {
        leaves(*entry.composite, out);
      }
    }
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
