// A password, key or token: no stream operator, no text, so that it cannot be printed by accident.
#pragma once
#include <string>
#include <utility>

namespace windrow {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  // Only for handing it to the system that asks for it.
  [[nodiscard]] std::string const& reveal() const { return value_; }

 private:
  std::string value_;
};

}  // namespace windrow
