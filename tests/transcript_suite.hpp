// Runs whole files of transcripts in a test and says which documents failed.
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "host/cli/transcript/documents.hpp"
#include "tests/temporary_directory.hpp"
#include "tests/tested_backend.hpp"

namespace windrow::transcript {

struct Counts {
  int passed = 0, failed = 0, skipped = 0;
};

// Runs all documents of the files; the first few failures are reported in full.
inline Counts run_files(std::vector<std::string> const& files, bool restart_always) {
  TemporaryDirectory const scratch;
  RunOptions const options{.make_aggregation = testing::make_scripted,
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
