// A file that has its name only when its bytes are durable.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/engine/snapshot.hpp"

namespace windrow {

// Writes `.<name>.tmp.<writer>`, which only `replace` and `create` give its name; without them
// nothing is left.  Every failure is EnvironmentError 74 with the path; DiskFullError where space
// is what lacks, and then the same may be tried again.
class DurableFile {
 public:
  DurableFile(std::filesystem::path name, std::string_view writer);
  ~DurableFile();
  DurableFile(DurableFile const&) = delete;  // owns a file
  DurableFile& operator=(DurableFile const&) = delete;
  void append(std::string_view bytes);
  void complete();              // flush, fsync; after the last append, before the two below
  void replace();               // the name, in place of a file of that name, durably
  [[nodiscard]] bool create();  // the name, durably; false: there is such a file already

 private:
  void flush();
  std::filesystem::path name_, temporary_;
  std::string buffer_;
  int file_ = -1;
  bool complete_ = false;
};

class DiskFullError : public EnvironmentError {
 public:
  using EnvironmentError::EnvironmentError;
};

// The directory and those above it that are missing, each durably.  EnvironmentError 74.
void make_directories(std::filesystem::path const& directory);
// Makes the entries of a directory durable.
void sync_directory(std::filesystem::path const& directory);

// The files of a directory whose names are numbers, ascending; none where there is no directory.
[[nodiscard]] std::vector<std::int64_t> numbers_in(std::filesystem::path const& directory);

// Throws EnvironmentError 74: what failed, the path and the reason that errno gives.
[[noreturn]] void throw_io_error(std::string_view doing, std::filesystem::path const& path);

}  // namespace windrow
