// What a thread of a block knows of it.
#pragma once
#include <cstddef>

namespace windrow {

// Kernels over blocks run in phases, `Kernel::phases` of them, with a barrier between two: all
// threads of the block have ended a phase before any begins the next.  So the host runs them as
// plain loops over threads, phase by phase.
//   shared  memory of the block, aligned to 16
//   index   of the block;  thread, threads  within it
struct Block {
  std::byte* shared;
  unsigned index, thread, threads;
};

}  // namespace windrow
