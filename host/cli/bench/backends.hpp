// The backends that `windrow bench` can hold against each other on this machine.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "host/cli/bench/runs.hpp"

namespace windrow::cli::bench {

[[nodiscard]] Backend cpu_backend(Workers& workers);
// Appends what stands beside the CPU: what `said` names, and if it is empty the first GPU, or why
// there is none.  Returns the GPU's ordinal, -1: none.  EnvironmentError 69: no GPU, where one was
// asked for.
int add_device_backend(std::string const& said, std::vector<Backend>& backends);

// Bytes of memory that this process may still take.
[[nodiscard]] std::uint64_t memory_free();

}  // namespace windrow::cli::bench
