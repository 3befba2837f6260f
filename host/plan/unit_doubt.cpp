#include "host/plan/unit_doubt.hpp"

#include <fmt/format.h>

#include <cmath>

namespace windrow {

std::string unit_doubt(double number) {
  double const size = std::abs(number);
  char const* const looks = size > 1e17 ? "ns" : size > 1e14 ? "us" : size > 1e11 ? "ms" : nullptr;
  return looks == nullptr
             ? std::string{}
             : fmt::format("numbers such as {:.0f} are taken as seconds and look like {}: set unit",
                           number, looks);
}

}  // namespace windrow
