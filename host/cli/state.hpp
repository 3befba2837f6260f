// What `windrow state` shows, as text or as JSON.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace windrow::cli {

[[nodiscard]] std::string listing_of(std::filesystem::path const& directory, bool json);
// Without a number the newest snapshot that verifies.
[[nodiscard]] std::string snapshot_shown(std::filesystem::path const& directory,
                                         std::optional<std::int64_t> batch_no, bool json);
[[nodiscard]] std::string plan_shown(std::filesystem::path const& directory, std::int64_t batch_no,
                                     bool json);

}  // namespace windrow::cli
