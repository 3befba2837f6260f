// Reads the settings of where steps run.
#include "host/plan/device_setting.hpp"

#include "host/plan/keys.hpp"

namespace windrow {
namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::string_view of_uuids =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-/";

bool consists_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

}  // namespace

std::optional<DeviceSetting> read_device(std::string_view text) {
  using enum DeviceSetting::Kind;
  if (text == "auto") {
    return DeviceSetting{};
  }
  if (text == "cpu") {
    return DeviceSetting{cpu, {}};
  }
  if (text == "cuda") {
    return DeviceSetting{cuda, {}};
  }
  constexpr std::string_view prefix = "cuda:";
  if (!text.starts_with(prefix)) {
    return std::nullopt;
  }
  text.remove_prefix(prefix.size());
  bool const is_number = consists_of(text, digits) && text.size() < 4;
  bool const is_uuid = (text.starts_with("GPU-") || text.starts_with("MIG-")) &&
                       consists_of(text.substr(4), of_uuids);
  return is_number || is_uuid ? std::optional(DeviceSetting{cuda, std::string(text)})
                              : std::nullopt;
}

std::uint64_t GpuMemoryLimit::of(std::uint64_t free) const {
  return bytes > 0 ? bytes : static_cast<std::uint64_t>(share * static_cast<double>(free));
}

std::optional<GpuMemoryLimit> read_gpu_memory(std::string_view text) {
  GpuMemoryLimit out;
  if (text.ends_with('%')) {
    std::optional<double> const percent = read_number(text.substr(0, text.size() - 1));
    if (!percent || !(*percent > 0) || *percent > 100) {
      return std::nullopt;
    }
    out.share = *percent / 100;
    return out;
  }
  std::optional<std::uint64_t> const bytes = read_bytes(text);
  if (!bytes || *bytes == 0) {
    return std::nullopt;
  }
  out.bytes = *bytes;
  return out;
}

}  // namespace windrow
