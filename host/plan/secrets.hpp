// Secrets of a pipeline file: {env: NAME} and {file: PATH} (semantics.md 16.1).
#pragma once
#include <optional>
#include <string_view>

#include "host/plan/context.hpp"
#include "host/plan/secret.hpp"

namespace windrow {

// A setting whose value is a password, key or token by its name (sasl.password).
[[nodiscard]] bool is_secret_name(std::string_view name);

// Checks the form; reads the value for `run` only, so that a file can be checked where its secrets
// are not.  E109 if it is not there.
[[nodiscard]] std::optional<Secret> read_secret(Context& context, YamlEntry const& entry);

}  // namespace windrow
