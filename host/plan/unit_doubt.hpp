// Numbers that are taken as seconds and look like something else (W218).
#pragma once
#include <string>

namespace windrow {

// What to say of a time without a unit, or nothing if it may well be seconds: those of the year
// 3000 are 3.3e10.
[[nodiscard]] std::string unit_doubt(double number);

}  // namespace windrow
