#include "host/plan/secrets.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "host/plan/keys.hpp"

namespace windrow {

bool is_secret_name(std::string_view name) {
  for (std::string_view const end : {"password", "secret", "token", "api.key", ".pem"}) {
    if (name.ends_with(end)) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> passwords_in(std::string const& url) {
  std::vector<std::string> out;
  std::size_t const begin = url.find("://");
  std::string const authority =
      begin == std::string::npos ? "" : url.substr(begin + 3, url.find('/', begin + 3) - begin - 3);
  std::size_t const at = authority.rfind('@');
  std::size_t const colon = authority.find(':');
  if (at != std::string::npos && colon < at) {
    out.push_back(authority.substr(colon + 1, at - colon - 1));
  }
  constexpr std::string_view word = "password=";
  for (std::size_t i = url.find(word); i != std::string::npos; i = url.find(word, i)) {
    i += word.size();
    out.push_back(url.substr(i, url.find('&', i) - i));
  }
  std::erase(out, "");
  return out;
}

void note_plain_secret(Context& context, std::string_view name, YamlNode const& node) {
  context.report.hide(node.text);
  if (!node.replaced) {
    context.report.add(
        "W214", node,
        fmt::format("'{}' stands here in plain text: write {{env: NAME}} or {{file: PATH}}", name));
  }
}

std::optional<Secret> read_secret(Context& context, std::string_view name, YamlNode const& node) {
  bool const form = node.is_map() && node.entries.size() == 1 &&
                    node.entries[0].value.is_scalar() &&
                    (node.entries[0].key.text == "env" || node.entries[0].key.text == "file");
  if (!form) {
    context.report.add("E141", node,
                       fmt::format("'{}' must be a string, {{env: NAME}} or {{file: PATH}}, is {}",
                                   name, kind_of(node)));
    return std::nullopt;
  }
  context.report.add_on_beam(OnBeam::refused, node.entries[0].key,
                             "a secret that is named and not written is Windrow's own",
                             "secret." + node.entries[0].key.text);
  YamlNode const& value = node.entries[0].value;
  if (context.options.purpose != LoadOptions::Purpose::run) {
    return Secret{};
  }
  std::optional<std::string> found;
  if (node.entries[0].key.text == "env") {
    if (context.options.environment) {
      found = context.options.environment(value.text);
    }
    if (!found) {
      context.report.add("E109", value,
                         fmt::format("environment variable '{}' is not set", value.text));
    }
  } else {
    std::ifstream file(value.text, std::ios::binary);
    if (file) {
      found.emplace(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
      // Editors and secret stores end a file with a line break that is not part of the secret.
      while (!found->empty() && (found->back() == '\n' || found->back() == '\r')) {
        found->pop_back();
      }
    } else {
      context.report.add("E109", value, fmt::format("secret file '{}' cannot be read", value.text));
    }
  }
  if (!found) {
    return std::nullopt;
  }
  context.report.hide(*found);
  return Secret{std::move(*found)};
}

}  // namespace windrow
