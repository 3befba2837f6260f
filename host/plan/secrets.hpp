// Secrets of a pipeline file: {env: NAME} and {file: PATH} (semantics.md 16.1).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/plan/context.hpp"
#include "host/plan/secret.hpp"

namespace windrow {

// A setting whose value is a password, key or token by its name (sasl.password).
[[nodiscard]] bool is_secret_name(std::string_view name);

// As written, of postgresql://user:THIS@host/..?password=THIS&..
[[nodiscard]] std::vector<std::string> passwords_in(std::string const& url);

// A secret that stands in the file itself: never printed; W214 unless it came from ${NAME}.
void note_plain_secret(Context& context, std::string_view name, YamlNode const& node);

// Checks the form; reads the value for `run` only, so that a file can be checked where its secrets
// are not.  E109 if it is not there.
[[nodiscard]] std::optional<Secret> read_secret(Context& context, std::string_view name,
                                                YamlNode const& node);

}  // namespace windrow
