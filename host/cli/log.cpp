#include "host/cli/log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>

#include "host/cli/stderr_sink.hpp"

namespace windrow::cli {
namespace {

// Escapes for a JSON string; logfmt quotes the same way.
std::string escaped(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

class LineFormatter final : public spdlog::formatter {
 public:
  explicit LineFormatter(std::string format) : format_(std::move(format)) {}
  void format(spdlog::details::log_msg const& message, spdlog::memory_buf_t& out) override {
    auto const us =
        std::chrono::floor<std::chrono::microseconds>(message.time.time_since_epoch()).count();
    std::string const time = fmt::format(
        "{:%FT%T}.{:06}Z", fmt::gmtime(static_cast<std::time_t>(us / 1'000'000)), us % 1'000'000);
    auto const level_view = spdlog::level::to_string_view(message.level);
    std::string_view const level(level_view.data(), level_view.size());
    std::string_view const text(message.payload.data(), message.payload.size());
    std::string line;
    if (format_ == "json") {
      line =
          fmt::format(R"({{"time":"{}","level":"{}","message":"{}"}})", time, level, escaped(text));
    } else if (format_ == "logfmt") {
      line = fmt::format(R"(time={} level={} message="{}")", time, level, escaped(text));
    } else {
      line = fmt::format("{} {:<7} {}", time.substr(11, 12), level, text);
    }
    line += '\n';
    out.append(line.data(), line.data() + line.size());
  }
  [[nodiscard]] std::unique_ptr<formatter> clone() const override {
    return std::make_unique<LineFormatter>(format_);
  }

 private:
  std::string format_;
};

// The sink that start_log made; null before it.
StderrSink* the_sink() {
  auto const logger = spdlog::default_logger();
  return dynamic_cast<StderrSink*>(logger->sinks().front().get());
}

constexpr char const *text_name = "windrow", *record_name = "windrow records";

}  // namespace

void start_log(std::string const& format, bool quiet) {
  auto logger = spdlog::create<StderrSink>(format == "text" ? text_name : record_name);
  logger->set_formatter(std::make_unique<LineFormatter>(format));
  logger->set_level(quiet ? spdlog::level::warn : spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

bool log_is_text() { return spdlog::default_logger()->name() != record_name; }

void say(std::string_view text, spdlog::level::level_enum level) {
  while (!text.empty() && text.back() == '\n') {
    text.remove_suffix(1);
  }
  if (!log_is_text()) {
    spdlog::log(level, "{}", text);
  } else if (StderrSink* const sink = the_sink()) {
    sink->write_above(fmt::format("{}\n", text));
  } else {
    fmt::print(stderr, "{}\n", text);
  }
}

bool is_screen(int descriptor) {
  char const* const kind = std::getenv("TERM");
  return isatty(descriptor) != 0 && kind != nullptr && *kind != '\0' &&
         std::string_view(kind) != "dumb";
}

void draw_block(std::vector<std::string> lines) {
  if (StderrSink* const sink = the_sink()) {
    sink->draw_block(std::move(lines));
  }
}

void remove_block() { draw_block({}); }

}  // namespace windrow::cli
