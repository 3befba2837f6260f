// A batch plan as a file (connectors.md 1.1, 1.2).
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "host/engine/batch_plan.hpp"

namespace windrow {

// A plan and who made it.
//   graph_hash  of the graph that it is a plan of
//   epoch, writer  of the process, as its LOCK had them
struct RecordedPlan {
  std::uint64_t graph_hash = 0, epoch = 0;
  std::string writer;
  BatchPlan plan;
  bool operator==(RecordedPlan const&) const = default;
};

// The version of what a plan means: of this layout, and of the semantics by which it is run.  A
// plan of another one is refused; a clean stop leaves none to run.
inline constexpr std::uint32_t plan_format = 1;

// Layout: 8 bytes "windrowp", u32 plan_format, the fields, u64 XXH3-64 of all before it.
[[nodiscard]] std::string plan_bytes(RecordedPlan const& plan);
// DamageError, or EnvironmentError 74 for another format; both name the path.
[[nodiscard]] RecordedPlan read_plan(std::filesystem::path const& path);

}  // namespace windrow
