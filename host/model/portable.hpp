// The two macros that code shared by host and device needs, and nothing else.
#pragma once
#include <cstdio>
#include <cstdlib>

#ifdef __CUDACC__
#define WINDROW_HOST_DEVICE __host__ __device__
#else
#define WINDROW_HOST_DEVICE
#endif

// Checks a contract of ours, always, also in release builds: one line, then abort.  Never used on
// data (data faults are counted and set aside) nor on the world (`EnvironmentError`).
#define WINDROW_ASSERT(condition, text)                                                        \
  do {                                                                                         \
    if (!(condition)) [[unlikely]] {                                                           \
      std::fprintf(stderr, "%s:%d: broken contract: %s: %s\n", __FILE__, __LINE__, #condition, \
                   text);                                                                      \
      std::abort();                                                                            \
    }                                                                                          \
  } while (false)
