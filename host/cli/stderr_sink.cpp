#include "host/cli/stderr_sink.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace windrow::cli {
namespace {

constexpr std::size_t indent = 4;

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

// Bytes of the first `columns` characters.
std::size_t bytes_of(std::string_view text, std::size_t columns) {
  std::size_t at = 0, seen = 0;
  for (; at < text.size(); ++at) {
    if (begins_character(text[at]) && seen++ == columns) {
      break;
    }
  }
  return at;
}

struct Screen {
  std::size_t columns = 80, rows = 24;
};
Screen screen() {
  winsize size{};
  Screen out;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    out = {size.ws_col, size.ws_row};
  }
  return out;
}

void write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

std::vector<std::string> laid_out(std::vector<std::string> const& lines, std::size_t columns,
                                  std::size_t rows) {
  std::vector<std::string> out;
  for (std::string rest : lines) {
    std::replace_if(
        rest.begin(), rest.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; }, ' ');
    std::string before;
    std::size_t room = std::max<std::size_t>(columns, 1);
    while (columns_of(rest) > room) {
      std::size_t const end = bytes_of(rest, room), blank = rest.rfind(' ', end);
      bool const between = blank != std::string::npos && blank > rest.find_first_not_of(' ');
      out.push_back(before + rest.substr(0, between ? blank : end));
      rest.erase(0, between ? blank + 1 : end);
      before.assign(columns > 2 * indent ? indent : 0, ' ');
      room = std::max<std::size_t>(columns, 1) - before.size();
    }
    out.push_back(before + rest);
  }
  out.resize(std::min(out.size(), rows));
  return out;
}

void StderrSink::write_above(std::string_view text) {
  std::lock_guard<std::mutex> const lock(mutex_);
  write(erasure() + std::string(text) + drawing());
}

void StderrSink::draw_block(std::vector<std::string> lines) {
  std::lock_guard<std::mutex> const lock(mutex_);
  std::string const erased = erasure();
  block_ = std::move(lines);
  write(erased + drawing());
}

void StderrSink::sink_it_(spdlog::details::log_msg const& message) {
  spdlog::memory_buf_t line;
  formatter_->format(message, line);
  write(erasure() + std::string(line.data(), line.size()) + drawing());
}

// A terminal that became narrower has broken the lines that are out anew.
std::string StderrSink::erasure() const {
  if (drawn_.empty()) {
    return {};
  }
  std::size_t const columns = screen().columns;
  std::size_t rows = 0;
  for (std::string const& line : drawn_) {
    rows += std::max<std::size_t>(1, (columns_of(line) + columns - 1) / columns);
  }
  return fmt::format("\r\033[{}A\033[J", rows);
}

// Lines end before the last column, and the terminal is told to break none: some would otherwise
// begin a new one when a wide character fills the line.
std::string StderrSink::drawing() {
  Screen const size = screen();
  drawn_ = laid_out(block_, size.columns - 1, size.rows - 1);
  return drawn_.empty() ? std::string()
                        : fmt::format("\033[?7l{}\n\033[?7h", fmt::join(drawn_, "\n"));
}

}  // namespace windrow::cli
