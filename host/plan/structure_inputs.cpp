// From the names that transforms read to edges between them.
#include <fmt/format.h>

#include <optional>

#include "host/plan/keys.hpp"
#include "host/plan/structure_scope.hpp"

namespace windrow {
namespace {

class InputResolver {
 public:
  InputResolver(Report& report, std::vector<WrittenTransform>& flat)
      : report_(report), flat_(flat) {}

  void resolve_all(Composite& scope) {
    for (Entry& entry : scope.entries) {
      if (entry.composite) {
        resolve_all(*entry.composite);
      } else {
        resolve_leaf(scope, entry, flat_[*entry.leaf]);
      }
    }
  }

 private:
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

  Report& report_;
  std::vector<WrittenTransform>& flat_;
};

}  // namespace

void resolve_inputs(Report& report, Composite& root, std::vector<WrittenTransform>& flat) {
  InputResolver{report, flat}.resolve_all(root);
}

}  // namespace windrow
