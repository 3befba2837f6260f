// What the first rows of NDJSON files say of their fields.
#pragma once
#include <string>

#include "host/engine/batch.hpp"

namespace windrow {

inline constexpr std::size_t inferred_rows = 1000;

// Reads the first `inferred_rows` lines of a glob.  Fields stand in the order in which they first
// came; all are nullable, since a later row may lack one.  Integers beside numbers are numbers,
// only nulls are string; a list whose elements differ is open (no children), a field whose types
// differ is a fault. Rows that are no JSON object are passed over: reading sets them aside.  Never
// throws for what the files hold or for files that are not there: `fault` says it.
[[nodiscard]] InferredSchema infer_json_schema(std::string const& path);

}  // namespace windrow
