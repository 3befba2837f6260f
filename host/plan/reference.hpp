// The reference of pipeline files for people, made from the tables that check them.
#pragma once
#include <string>

namespace windrow {

// Markdown: the file, windowing, triggers, settings, every transform with its keys, what comes
// later, and the codes.  Ends with one line break.
[[nodiscard]] std::string reference();

}  // namespace windrow
