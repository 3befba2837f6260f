// Transcript documents, one test each: the files of tests/transcripts and Beam's (semantics.md
// 18.1).
#pragma once
#include <string>
#include <vector>

#include "host/cli/transcript/run.hpp"

namespace windrow::transcript {

struct Result {
  enum class Kind { passed, failed, skipped } kind = Kind::passed;
  std::string name;
  std::string text;  // of a failure: what was expected and what came
};
Result run_document(Node const& document, RunOptions const& options);

// All documents of a .yaml, .yaml.gz or .jsonl file.
std::vector<Node> read_documents(std::string const& path);

}  // namespace windrow::transcript
