// Facts about this build and this machine, for `version` and `doctor`.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "kernels/cuda_devices.hpp"

namespace windrow::cli {

// A name and its value, in the order to be shown.
using Facts = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] Facts build_facts();
[[nodiscard]] Facts machine_facts(CudaInventory const& gpus);
// The backends that can run, as `device` and WINDROW_BACKEND name them.
[[nodiscard]] std::vector<std::string> backends_of(CudaInventory const& gpus);

// "name  value" lines, or one JSON object of strings.
[[nodiscard]] std::string to_text(Facts const& facts);
[[nodiscard]] std::string to_json(Facts const& facts);

}  // namespace windrow::cli
