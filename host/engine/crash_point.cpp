#include "host/engine/crash_point.hpp"

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string>

namespace windrow {
namespace {

std::vector<std::string_view>& names() {  // filled before main, in any order
  static std::vector<std::string_view> list;
  return list;
}

}  // namespace

CrashPoint::CrashPoint(std::string_view name) {
  names().push_back(name);
  char const* const text = std::getenv("WINDROW_CRASH");
  std::string_view const order = text == nullptr ? "" : text;
  std::size_t const colon = order.find(':');
  if (order.substr(0, colon) != name || colon == std::string_view::npos) {
    return;
  }
  std::uint64_t hit = 0;
  std::from_chars(order.data() + colon + 1, order.data() + order.size(), hit);
  left_ = hit;
}

void CrashPoint::count_down() {
  if (left_.fetch_sub(1) == 1) {
    std::raise(SIGKILL);
  }
}

std::vector<std::string_view> crash_points() {
  std::vector<std::string_view> list = names();
  std::sort(list.begin(), list.end());
  return list;
}

}  // namespace windrow
