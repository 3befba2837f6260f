// A file that has its name only when its bytes are durable.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

namespace windrow {

// Writes `<name>.tmp.<writer>`; `publish` makes it durable and gives it the name, replacing a file
// of that name.  Without `publish` nothing is left.  Every failure is EnvironmentError 74 with the
// path.
class DurableFile {
 public:
  DurableFile(std::filesystem::path name, std::string_view writer);
  ~DurableFile();
  DurableFile(DurableFile const&) = delete;  // owns a file
  DurableFile& operator=(DurableFile const&) = delete;
  void append(std::string_view bytes);
  void publish();  // flush, fsync, rename, fsync of the directory; call once

 private:
  void flush();
  std::filesystem::path name_, temporary_;
  std::string buffer_;
  int file_ = -1;
};

// Makes the entries of a directory durable.
void sync_directory(std::filesystem::path const& directory);

// Throws EnvironmentError 74: what failed, the path and the reason that errno gives.
[[noreturn]] void throw_io_error(std::string_view doing, std::filesystem::path const& path);

}  // namespace windrow
