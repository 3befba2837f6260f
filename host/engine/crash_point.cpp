#include "host/engine/crash_point.hpp"

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <utility>

namespace windrow {
namespace {

struct Registry {
  std::vector<CrashPoint*> points;
  std::function<void(std::string_view)> handler;
};
Registry& registry() {  // filled before main, in any order
  static Registry all;
  return all;
}

}  // namespace

CrashPoint::CrashPoint(std::string_view name) : name_(name) {
  registry().points.push_back(this);
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
  if (registry().handler) {
    registry().handler(name_);
  } else if (left_.fetch_sub(1) == 1) {
    std::raise(SIGKILL);
  }
}

void set_crash_handler(std::function<void(std::string_view)> handler) {
  registry().handler = std::move(handler);
  for (CrashPoint* const point : registry().points) {
    point->arm(registry().handler ? 1 : 0);
  }
}

std::vector<std::string_view> crash_points() {
  std::vector<std::string_view> list;
  for (CrashPoint const* const point : registry().points) {
    list.push_back(point->name());
  }
  std::sort(list.begin(), list.end());
  return list;
}

}  // namespace windrow
