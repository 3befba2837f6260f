/* Makes one call of the process fail, for faults_test.py (LD_PRELOAD).

   WINDROW_FAULT_PATH   calls on files whose path holds this text are counted
   WINDROW_FAULT_NTH    the one that fails, from 1
   WINDROW_FAULT_ERRNO  with this errno; 0: a write takes half of its bytes
   WINDROW_FAULT_MALLOC the allocation that fails, from 1, of all since main began
   WINDROW_FAULT_COUNT  file into which the numbers of calls and allocations go at the end */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls, allocations;
static atomic_int in_main;
static int (*real_main)(int, char**, char**);
static long nth, nth_allocation;
static int failure;
static char const* path_part;

extern void* __libc_malloc(size_t);

static long number(char const* name) {
  char const* const text = getenv(name);
  return text == NULL ? 0 : strtol(text, NULL, 10);
}
__attribute__((constructor)) static void begin(void) {
  path_part = getenv("WINDROW_FAULT_PATH");
  nth = number("WINDROW_FAULT_NTH");
  failure = (int)number("WINDROW_FAULT_ERRNO");
  nth_allocation = number("WINDROW_FAULT_MALLOC");
}
/* What runs before main is not ours: CUDA's runtime dies there without memory. */
static int counted_main(int count, char** words, char** env) {
  in_main = 1;
  return real_main(count, words, env);
}
int __libc_start_main(int (*start)(int, char**, char**), int count, char** words,
                      void (*init)(void), void (*fini)(void), void (*rtld_fini)(void),
                      void* stack_end) {
  real_main = start;
  __typeof__(&__libc_start_main) const real =
      (__typeof__(&__libc_start_main))dlsym(RTLD_NEXT, "__libc_start_main");
  return real(counted_main, count, words, init, fini, rtld_fini, stack_end);
}
__attribute__((destructor)) static void end(void) {
  char const* const path = getenv("WINDROW_FAULT_COUNT");
  if (path != NULL) {
    path_part = NULL;
    FILE* const file = fopen(path, "w");
    if (file != NULL) {
      fprintf(file, "%ld %ld\n", (long)calls, (long)allocations);
      fclose(file);
    }
  }
}

/* Is this the call that fails? */
static int counted(char const* path) {
  return path_part != NULL && path != NULL && strstr(path, path_part) != NULL &&
         atomic_fetch_add(&calls, 1) + 1 == nth;
}
static int counted_fd(int fd) {
  if (path_part == NULL) {
    return 0;
  }
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t const size = readlink(link, path, sizeof path - 1);
  if (size < 0) {
    return 0;
  }
  path[size] = 0;
  return counted(path);
}
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL_IF(hit)               \
  if ((hit) && failure != 0) {     \
    errno = failure;               \
    return -1;                     \
  }

void* malloc(size_t size) {
  if (in_main && (nth_allocation != 0 || path_part != NULL)) {
    if (atomic_fetch_add(&allocations, 1) + 1 == nth_allocation) {
      errno = ENOMEM;
      return NULL;
    }
  }
  return __libc_malloc(size);
}
int open(char const* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t const mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  FAIL_IF(counted(path))
  return REAL(open)(path, flags, mode);
}
int open64(char const* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t const mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  FAIL_IF(counted(path))
  return REAL(open64)(path, flags, mode);
}
ssize_t write(int fd, void const* bytes, size_t size) {
  int const hit = counted_fd(fd);
  FAIL_IF(hit)
  return REAL(write)(fd, bytes, hit ? (size + 1) / 2 : size);
}
ssize_t read(int fd, void* bytes, size_t size) {
  FAIL_IF(counted_fd(fd))
  return REAL(read)(fd, bytes, size);
}
int fsync(int fd) {
  FAIL_IF(counted_fd(fd))
  return REAL(fsync)(fd);
}
int fdatasync(int fd) {
  FAIL_IF(counted_fd(fd))
  return REAL(fdatasync)(fd);
}
int rename(char const* from, char const* to) {
  FAIL_IF(counted(from))
  return REAL(rename)(from, to);
}
int link(char const* from, char const* to) {
  FAIL_IF(counted(from))
  return REAL(link)(from, to);
}
int unlink(char const* path) {
  FAIL_IF(counted(path))
  return REAL(unlink)(path);
}
int mkdir(char const* path, mode_t mode) {
  FAIL_IF(counted(path))
  return REAL(mkdir)(path, mode);
}
int ftruncate(int fd, off_t size) {
  FAIL_IF(counted_fd(fd))
  return REAL(ftruncate)(fd, size);
}
