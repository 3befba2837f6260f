// A bounded file over a year of 5-minute windows with a million users fits 4 GiB: the command as it
// is, its peak memory as the kernel counts it, its rows against an own count.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/scale.hpp"
#include "tests/temporary_directory.hpp"

namespace windrow {
namespace {

constexpr std::uint64_t users = 1'000'000, year_ms = 31'622'400'000, window_ms = 300'000;
constexpr std::uint64_t start_ms = 1'704'067'200'000;  // 2024-01-01, a multiple of the window
constexpr std::string_view pipeline = R"(pipeline:
  transforms:
    - {type: ReadFromJson, name: Views, config: {path: "${INPUT}"}}
    - {type: AssignTimestamps, name: EventTime, input: Views, config: {timestamp: ts, unit: ms}}
    - type: Combine
      name: PerUser
      input: EventTime
      windowing: {type: fixed, size: 5m}
      config:
        group_by: user
        combine: {views: {value: user, fn: count}, total: {value: n, fn: sum}}
    - {type: WriteToJson, name: Save, input: PerUser, config: {path: "-"}}
)";

struct Truth {
  std::uint64_t cells = 0, total = 0;
};

// Every user comes once, then users and times are drawn.
Truth write_views(std::string const& path, std::uint64_t rows) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  EXPECT_NE(file, nullptr);
  Truth truth;
  std::vector<std::uint64_t> cells;
  cells.reserve(rows);
  std::uint64_t random = 42;
  auto const draw = [&](std::uint64_t below) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    return (random >> 20U) % below;
  };
  for (std::uint64_t i = 0; i < rows; ++i) {
    std::uint64_t const user = i < users ? i : draw(users), at = draw(year_ms), n = draw(100);
    std::fprintf(file, "{\"user\":\"u%07" PRIu64 "\",\"ts\":%" PRIu64 ",\"n\":%" PRIu64 "}\n", user,
                 start_ms + at, n);
    truth.total += n;
    cells.push_back(at / window_ms * users + user);
  }
  EXPECT_EQ(std::fclose(file), 0);
  std::sort(cells.begin(), cells.end());
  truth.cells = static_cast<std::uint64_t>(std::unique(cells.begin(), cells.end()) - cells.begin());
  return truth;
}

std::uint64_t number_after(std::string_view line, std::string_view name) {
  std::size_t const at = line.find(name);
  return at == std::string_view::npos ? 0
                                      : std::strtoull(line.data() + at + name.size(), nullptr, 10);
}

TEST(YearTest, AMillionUsersInAYearOfFiveMinutesFit4GiB) {
  std::uint64_t const rows = testing::scaled(20'000'000);
  TemporaryDirectory const directory;
  std::string const input = (directory / "views.ndjson").string();
  std::string const file = (directory / "year.yaml").string();
  Truth const truth = write_views(input, rows);
  std::ofstream(file) << pipeline;
  ASSERT_EQ(::setenv("INPUT", input.c_str(), 1), 0);

  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_addclose(&actions, ends[0]);
  std::string program = WINDROW_COMMAND, verb = "run", path = file;
  char* arguments[] = {program.data(), verb.data(), path.data(), nullptr};
  pid_t child = 0;
  ASSERT_EQ(::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ), 0);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);

  std::FILE* const lines = ::fdopen(ends[0], "r");
  std::uint64_t written = 0, views = 0, total = 0;
  std::string first_end, last_end;
  char* line = nullptr;
  std::size_t room = 0;
  bool in_order = true;
  for (ssize_t n = 0; (n = ::getline(&line, &room, lines)) > 0;) {
    std::string_view const row(line, static_cast<std::size_t>(n));
    ++written;
    views += number_after(row, "\"views\":");
    total += number_after(row, "\"total\":");
    std::string_view const end = row.substr(row.find("\"window_end\":"), 40);
    in_order = in_order && last_end <= end;
    last_end = end;
  }
  std::free(line);
  std::fclose(lines);

  int status = 0;
  rusage used{};
  ASSERT_EQ(::wait4(child, &status, 0, &used), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(written, truth.cells);
  EXPECT_EQ(views, rows);
  EXPECT_EQ(total, truth.total);
  EXPECT_TRUE(in_order) << "rows leave by their windows' ends, parts or not";
  std::printf("peak %ld MiB, %" PRIu64 " rows in, %" PRIu64 " out\n", used.ru_maxrss / 1024, rows,
              written);
  EXPECT_LT(used.ru_maxrss, 4L << 20U);  // KiB
}

}  // namespace
}  // namespace windrow
