// Runs whole files of transcripts in a test and says which documents failed.
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "host/cli/transcript/documents.hpp"
#include "host/cpu/cpu_aggregation.hpp"
#include "tests/mirror_aggregation.hpp"
#include "tests/temporary_directory.hpp"

namespace windrow::transcript {

struct Counts {
  int passed = 0, failed = 0, skipped = 0;
};

// With several threads every window is a part of its own, so that parts change nothing.
inline std::unique_ptr<Aggregation> make_aggregation(AggregationSpec const& spec,
                                                     Workers& workers) {
  char const* const backend = std::getenv("WINDROW_BACKEND");
  bool const in_parts = workers.threads() != 1;
  if (backend != nullptr && std::string_view(backend) == "twin") {
    // One half of the steps folds by atomics, the other sorts.
    bool const rounded = (spec.trigger.nodes + spec.windows.size_us / 1'000'000) % 2 == 0;
    AggregationSpec const device = testing::on_device(spec, rounded);
    if (why_not_on_device(device).empty()) {
      return std::make_unique<testing::MirrorAggregation>(
          spec, rounded, workers, in_parts ? 1 : 65536, [&](AggregationSpec const& step) {
            return make_twin_aggregation(step, in_parts
                                                   ? DeviceOptions{.panes = 64,
                                                                   .pairs = 8,
                                                                   .cells_per_part = 1,
                                                                   .block_memory = 256}
                                                   : DeviceOptions{.panes = 256, .pairs = 1024});
          });
    }
  }
  return make_cpu_aggregation(spec, workers, in_parts ? 1 : 65536);
}

// Runs all documents of the files; the first few failures are reported in full.
inline Counts run_files(std::vector<std::string> const& files, bool restart_always) {
  TemporaryDirectory const scratch;
  RunOptions const options{.make_aggregation = make_aggregation,
                           .restart_always = restart_always,
                           .scratch = scratch.path().string()};
  Counts counts;
  for (std::string const& file : files) {
    for (Node const& document : read_documents(file)) {
      Result const result = run_document(document, options);
      if (result.kind == Result::Kind::passed) {
        ++counts.passed;
      }
      if (result.kind == Result::Kind::skipped) {
        ++counts.skipped;
      }
      if (result.kind != Result::Kind::failed) {
        continue;
      }
      if (++counts.failed <= 5) {
        ADD_FAILURE() << std::filesystem::path(file).filename().string() << ": " << result.name
                      << ": " << result.text;
      }
    }
  }
  std::printf("%d passed, %d failed, %d skipped\n", counts.passed, counts.failed, counts.skipped);
  EXPECT_EQ(counts.failed, 0);
  EXPECT_GT(counts.passed, 0);
  return counts;
}

inline std::vector<std::string> files_of(std::string const& directory, std::string const& ending) {
  std::vector<std::string> files;
  for (auto const& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().string().ends_with(ending)) {
      files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace windrow::transcript
