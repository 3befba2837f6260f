// A directory of its own for a test, gone with the test.
#pragma once
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "host/model/portable.hpp"

namespace windrow {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "windrow-test-XXXXXX").string();
    WINDROW_ASSERT(::mkdtemp(name.data()) != nullptr, "a test can make a directory");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;  // a test that already failed may have left anything
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(TemporaryDirectory const&) = delete;  // owns the directory
  TemporaryDirectory& operator=(TemporaryDirectory const&) = delete;
  [[nodiscard]] std::filesystem::path const& path() const { return path_; }
  [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace windrow
