// A transcript in the `tests` of a pipeline file: the file's own steps under a scripted source,
// watermark and clock (semantics.md 18.1).
#pragma once
#include <string>
#include <vector>

#include "host/plan/pipeline_file.hpp"

namespace windrow::cli {

// The script takes the place of the one source above the steps.  Its rows are records of that
// source, so that decoding, event time and row transforms are those of the file: a map is a JSON
// record, text is the bytes of one.  `ts` is the record's own time, in seconds, unless the source
// has a field of that name.  A script with a `watermark` states it; else the file's watermark
// settings move it.  Returns the first difference, as `file:line: ..`, or nothing.
[[nodiscard]] std::vector<std::string> run_transcript(std::string const& file, Graph const& graph,
                                                      PipelineTest const& test);

}  // namespace windrow::cli
