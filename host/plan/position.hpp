// A place in a text: line and column, from 1, columns in bytes.
#pragma once

namespace windrow {

struct Position {
  int line = 0, column = 0;
  bool operator==(Position const&) const = default;
};

}  // namespace windrow
