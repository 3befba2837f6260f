// The id of a canonical row: what a sink replaces by (connectors.md 2).
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "host/engine/value.hpp"
#include "host/model/window.hpp"

namespace windrow {

// Appends `[<prefix>/]<window_start>`, then `|<field>` per key field; of the global window the
// start is the word `global`.  `prefix`: neither `/` nor `|` in it, empty is none.  `fields`: the
// fields of `key` but window_start.  Different rows of one sink have different ids.
void append_row_id(std::string_view prefix, Window window, std::span<Scalar const> fields,
                   std::string& out);

// Appends one field: null as `%~`; text escaped; -0.0 as 0.0, else as append_json writes it,
// escaped.
void append_id_field(Scalar const& field, std::string& out);

// Percent-encodes `%`, `|`, control bytes and bytes that are not UTF-8.
void escape_id_field(std::string_view text, std::string& out);
// Appends the text again; false (and `out` as it was) if `escaped` is not what escape_id_field
// makes, such as `%~`.
bool unescape_id_field(std::string_view escaped, std::string& out);

}  // namespace windrow
