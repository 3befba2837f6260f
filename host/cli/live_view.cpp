// What a pipeline is doing, for people.
#include "host/cli/live_view.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>

#include "host/cli/log.hpp"

namespace windrow::cli {

std::string time_text(EventTime time) {
  if (time <= T_MIN) {
    return "none yet";
  }
  if (time >= T_END) {
    return "end";
  }
  return fmt::format("{:%F %T}",
                     fmt::gmtime(static_cast<std::time_t>(floor_div(time.us, 1'000'000))));
}

std::string count_text(std::uint64_t count) {
  std::string const digits = fmt::format("{}", count);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) {
      text += ',';
    }
    text += digits[i];
  }
  return text;
}

double Rate::since_last(std::uint64_t total) {
  auto const now = std::chrono::steady_clock::now();
  double const seconds = std::chrono::duration<double>(now - at_).count();
  if (seconds >= 0.1) {
    rate_ = static_cast<double>(total - before_) / seconds;
    before_ = total;
    at_ = now;
  }
  return rate_;
}

std::vector<std::string> ProgressText::lines(Progress const& progress) {
  std::vector<std::string> out;
  for (SourceProgress const& source : progress.sources) {
    std::uint64_t set_aside = 0;
    for (std::uint64_t const count : source.set_aside) {
      set_aside += count;
    }
    std::string text = fmt::format(
        "{}: {} read, {:.0f}/s, {} rejected, {} set aside, watermark {}", source.name,
        count_text(source.read),
        rates_.try_emplace(source.transform, began_).first->second.since_last(source.read),
        count_text(source.rejected), count_text(set_aside), time_text(source.watermark));
    if (!source.holder.empty() && !source.ended) {
      text += fmt::format(", held by partition {}", source.holder);
    }
    if (source.ended) {
      text += ", ended";
    }
    out.push_back(std::move(text));
    if (!source.waiting.empty()) {
      out.push_back(fmt::format("{}: waits: {}", source.name, source.waiting));
    }
  }
  for (StepProgress const& step : progress.steps) {
    AggregationStats const& s = step.stats;
    out.push_back(fmt::format(
        "{}: panes {} early, {} on time, {} late, {} tombstones; rows {} late, {} dropped; {} keys",
        step.name, count_text(s.panes_early), count_text(s.panes_on_time), count_text(s.panes_late),
        count_text(s.tombstones), count_text(s.late), count_text(s.dropped_late + s.dropped_closed),
        count_text(step.keys)));
  }
  for (SinkProgress const& sink : progress.sinks) {
    if (!sink.waiting.empty()) {
      out.push_back(fmt::format("{}: waits: {}", sink.name, sink.waiting));
    }
  }
  return out;
}

LiveView::LiveView(bool quiet, bool rows_on_stdout)
    : block_(log_is_text() && is_screen(STDERR_FILENO) &&
             !(rows_on_stdout && isatty(STDOUT_FILENO) != 0)),
      quiet_(quiet),
      shown_(std::chrono::steady_clock::now()) {}

LiveView::~LiveView() { clear(); }

bool LiveView::due() {
  auto const period = std::chrono::milliseconds(block_ ? 250 : 5000);
  return !quiet_ && std::chrono::steady_clock::now() - shown_ >= period;
}

void LiveView::show(std::vector<std::string> const& lines) {
  shown_ = std::chrono::steady_clock::now();
  if (block_) {
    draw_block(lines);
    return;
  }
  for (std::string const& line : lines) {
    spdlog::info("{}", line);
  }
}

void LiveView::clear() {
  if (block_) {
    remove_block();
  }
}

}  // namespace windrow::cli
