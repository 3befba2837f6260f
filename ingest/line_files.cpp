// Which files a glob names.
#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "ingest/line_source.hpp"

namespace windrow {
namespace {

constexpr int unavailable = 69, refused = 78;

bool is_unfinished(std::string_view path) {
  std::string_view const name = path.substr(path.rfind('/') + 1);
  return name.starts_with('.') || name.starts_with('_') || name.ends_with(".tmp");
}

std::vector<std::string> paths_of(std::string const& pattern) {
  glob_t found{};
  auto const free = [](glob_t* g) { ::globfree(g); };
  std::unique_ptr<glob_t, decltype(free)> const owner(&found, free);
  int const result = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  if (result != 0 && result != GLOB_NOMATCH) {
    throw EnvironmentError(fmt::format("line source: cannot list files: path={}", pattern),
                           unavailable);
  }
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < found.gl_pathc; ++i) {
    paths.emplace_back(found.gl_pathv[i]);
  }
  std::sort(paths.begin(), paths.end());  // by bytes, not by the locale
  return paths;
}

}  // namespace

std::vector<LineFile> files_of(std::string const& glob) {
  std::vector<LineFile> files;
  for (std::string& path : paths_of(glob)) {
    if (path != glob && is_unfinished(path)) {
      continue;
    }  // a file named as such is meant
    if (path.ends_with(".gz") || path.ends_with(".zst")) {
      throw EnvironmentError(
          fmt::format("line source: compressed files are not read yet, unpack them first: path={}",
                      path),
          refused);
    }
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0 || ::access(path.c_str(), R_OK) != 0) {
      throw EnvironmentError(
          fmt::format("line source: cannot open a file: {}: path={}", std::strerror(errno), path),
          unavailable);
    }
    if (!S_ISREG(found.st_mode)) {
      throw EnvironmentError(
          fmt::format("line source: a path must be a regular file: path={}", path), refused);
    }
    files.push_back({std::move(path), found.st_size, found.st_dev, found.st_ino});
  }
  if (files.empty()) {
    std::error_code none;
    std::string const in = std::filesystem::current_path(none).string();
    throw EnvironmentError(fmt::format("line source: no file matches: path={}{}", glob,
                                       glob.starts_with('/') ? "" : " working directory=" + in),
                           refused);
  }
  return files;
}

}  // namespace windrow
