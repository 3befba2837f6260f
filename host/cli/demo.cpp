// `windrow demo`: broker, page views, two pipelines into one database, and the truth.
#include "host/cli/demo.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <atomic>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "host/cli/examples.hpp"
#include "host/cli/live_view.hpp"
#include "host/cli/pipeline_file.hpp"
#include "host/cli/pipeline_run.hpp"
#include "host/cli/stop_signals.hpp"
#include "host/cli/verbs.hpp"
#include "ingest/kafka_line_producer.hpp"

namespace windrow::cli {
namespace {

constexpr char const *topic = "pageviews", *database_name = "pageviews.db";
constexpr std::int64_t five_minutes_ms = 300'000;
constexpr auto patience = std::chrono::seconds(60);  // without any progress

// One pipeline on a thread of its own, and the last that it said of itself.
class Runner {
 public:
  Runner(std::string name, Graph graph) : name_(std::move(name)) {
    RunOptions options;
    options.drain_on_stop = true;
    options.log_pauses = false;  // the live view is drawn where they would go
    options.on_progress = [this](Progress const& progress) {
      std::lock_guard const lock(mutex_);
      progress_ = progress;
    };
    run_ = std::make_unique<PipelineRun>(std::move(graph), std::move(options));
    thread_ = std::jthread([this] {
      try {
        run_->run(stop_.get_token());
      } catch (...) {
        failure_ = std::current_exception();
      }
      ended_ = true;
    });
  }
  ~Runner() { stop_.request_stop(); }
  Runner(Runner const&) = delete;  // its thread refers to it
  Runner& operator=(Runner const&) = delete;

  [[nodiscard]] Progress progress() const {
    std::lock_guard const lock(mutex_);
    return progress_;
  }
  // Throws what the pipeline threw; a pipeline that ended by itself did so before its input.
  void check() const {
    if (!ended_) {
      return;
    }
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    throw EnvironmentError(fmt::format("demo: {} ended before its input", name_), exit_internal);
  }
  Summary drain() {
    stop_.request_stop();
    thread_.join();
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    return run_->summary();
  }
  [[nodiscard]] std::string const& name() const { return name_; }

 private:
  std::string name_;
  std::stop_source stop_;
  mutable std::mutex mutex_;
  Progress progress_;
  std::unique_ptr<PipelineRun> run_;
  std::exception_ptr failure_;  // written before `ended_`
  std::atomic<bool> ended_ = false;
  std::jthread thread_;  // last: joined before what it uses goes
};

// Without this 60 s of the stream, 0.2 s for people, would make a partition idle at any hiccup of
// the machine.
void keep_awake(std::optional<WatermarkSettings>& watermark, double rate) {
  if (watermark) {
    watermark->idle_timeout = Duration{static_cast<std::int64_t>(2'000'000 * std::max(rate, 30.0))};
  }
}

Graph example_graph(char const* file, std::string const& bootstrap_servers,
                    std::string const& directory, double rate) {
  std::map<std::string, std::string, std::less<>> const values = {
      {"BOOTSTRAP_SERVERS", bootstrap_servers},
      {"WINDROW_DB", directory + "/" + database_name},
      {"WINDROW_BAD", directory + "/bad-views.ndjson"}};
  LoadOptions options;
  options.purpose = LoadOptions::Purpose::run;
  options.environment = [&](std::string_view name) -> std::optional<std::string> {
    auto const found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
  LoadResult loaded = load(file, std::string(example(file)), options);
  if (!loaded.ok()) {
    print_findings(loaded.findings, Invocation{});
    throw EnvironmentError(fmt::format("demo: examples/{} must be valid", file), exit_internal);
  }
  loaded.graph.settings.clock_rate = rate;
  for (Transform& transform : loaded.graph.transforms) {
    if (auto* kafka = std::get_if<ReadFromKafka>(&transform.config)) {
      // The mock broker lets a fetch that finds nothing sleep so long, whatever arrives meanwhile.
      kafka->consumer_config["fetch.wait.max.ms"] = "2";
      keep_awake(kafka->watermark, rate);
    } else if (auto* assign = std::get_if<AssignTimestamps>(&transform.config)) {
      keep_awake(assign->watermark, rate);
    }
  }
  return std::move(loaded.graph);
}

class Demo final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb = app.add_subcommand(
        "demo", "page views through an embedded broker into SQLite, compared with the truth");
    verb->add_option("--seed", settings_.seed, "names the page views")->capture_default_str();
    verb->add_option("--events", events_, "views")
        ->check(CLI::Range(1'000U, 5'000'000U))
        ->capture_default_str();
    verb->add_option("--clock-rate", rate_, "seconds of the stream per second")
        ->check(CLI::Range(1.0, 3000.0))
        ->capture_default_str();
    verb->add_flag("--fast", fast_, "as fast as it goes, without early results");
    verb->add_option("--dir", directory_,
                     "where the database goes; a new one under /tmp if not given");
    return verb;
  }

  int run(Invocation const& invocation) override {
    invocation_ = invocation;
    choose_directory();
    settings_.events = events_;
    // About 1 MB a partition: the broker keeps 5 MiB and forgets the rest.
    settings_.partitions = std::clamp(static_cast<std::uint32_t>(events_ / 8'000), 8U, 640U);
    settings_.users = std::max(settings_.partitions, std::min(settings_.users, events_ / 20));
    BrokerProcess const broker(topic, settings_.partitions);
    StopSignals signals;
    note(fmt::format("broker at {}, {} partitions; database {}", broker.bootstrap_servers(),
                     settings_.partitions, database_));

    std::vector<std::unique_ptr<Runner>> runners;
    for (char const* file : {"pageviews.yaml", "sessions.yaml"}) {
      Graph graph = example_graph(file, broker.bootstrap_servers(), directory_, fast_ ? 1 : rate_);
      runners.push_back(std::make_unique<Runner>(file, std::move(graph)));
    }
    pageviews::Truth truth(pageviews::Reading::streamed);
    begin();
    KafkaLineProducer producer(broker.bootstrap_servers(), topic);
    bool const whole = deliver(producer, runners, truth, signals.token()) &&
                       wait_until_read(runners, truth.counts().lines, signals.token());
    if (!whole) {
      note("stopped before the end; nothing is compared");
      return 130;
    }
    std::vector<Summary> summaries;
    for (auto const& runner : runners) {
      summaries.push_back(runner->drain());
    }
    view_->clear();
    return judge({.database = database_,
                  .summaries = summaries,
                  .truth = truth,
                  .json = invocation_.json})
               ? exit_ok
               : exit_differs;
  }

 private:
  using Runners = std::vector<std::unique_ptr<Runner>>;

  void note(std::string const& text) const {
    if (!invocation_.quiet) {
      fmt::print(stderr, "{}\n", text);
    }
  }

  void choose_directory() {
    std::error_code failed;
    if (directory_.empty()) {
      std::string name = (std::filesystem::temp_directory_path() / "windrow-demo-XXXXXX").string();
      if (mkdtemp(name.data()) == nullptr) {
        throw EnvironmentError("demo: a temporary directory must be created", exit_state);
      }
      directory_ = name;
    }
    std::filesystem::create_directories(directory_, failed);
    database_ = (std::filesystem::path(directory_) / database_name).string();
    if (failed || std::filesystem::exists(database_)) {
      throw EnvironmentError(
          fmt::format("demo: a new database must be created there: path={}", database_),
          exit_state);
    }
  }

  // The stream begins at the last five minutes' border, so that its stamps stay just behind
  // processing time; a fast one lies wholly in the past.
  void begin() {
    auto const now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
    auto const back_ms =
        fast_ ? static_cast<std::int64_t>(2 * pageviews::expected_span_ms(settings_)) + 3'600'000
              : 0;
    settings_.base_ms = floor_div(now_ms - back_ms, five_minutes_ms) * five_minutes_ms;
    view_.emplace(invocation_.quiet);
  }

  void show(Runners const& runners, std::uint64_t sent, std::int64_t position_ms) {
    for (auto const& runner : runners) {
      runner->check();
    }
    if (!view_->due()) {
      return;
    }
    std::vector<std::string> lines = {fmt::format("page views: {} of {} sent, the stream is at {}",
                                                  count_text(sent), count_text(events_),
                                                  time_text(EventTime{position_ms * 1000}))};
    for (auto const& runner : runners) {
      for (std::string& line : texts_[runner->name()].lines(runner->progress())) {
        lines.push_back("  " + std::move(line));
      }
    }
    view_->show(lines);
  }

  // In order of arrival; false if stopped.  After a pause of this process or of the machine the
  // stream is resumed where it was, never caught up in a burst: then a partition that just looked
  // idle would find the others minutes ahead.
  bool deliver(KafkaLineProducer& producer, Runners const& runners, pageviews::Truth& truth,
               std::stop_token const& stop) {
    pageviews::Generator generator(settings_);
    pageviews::Line line;
    std::uint64_t sent = 0;
    bool more = generator.next(line), judged = false;
    double position_ms = static_cast<double>(settings_.base_ms);
    auto before = std::chrono::steady_clock::now();
    while (more) {
      if (stop.stop_requested()) {
        return false;
      }
      auto const now = std::chrono::steady_clock::now();
      double const passed_ms = std::chrono::duration<double, std::milli>(now - before).count();
      before = now;
      if (fast_) {
        position_ms = static_cast<double>(line.arrival_ms);
      } else {
        position_ms += std::min(passed_ms, 20.0) * rate_;
      }
      for (int i = 0; i < 1000 && more && static_cast<double>(line.arrival_ms) <= position_ms;
           ++i) {
        // Late lines are late under any watermark; the first one waits until there is one.
        if (line.fate == pageviews::Fate::late && !judged) {
          producer.flush();
          if (!wait_for_watermarks(runners, sent, line.arrival_ms, stop)) {
            return false;
          }
          judged = true;
          before = std::chrono::steady_clock::now();
        }
        producer.send(line.partition, line.json, line.arrival_ms);
        truth.add(line);
        ++sent;
        more = generator.next(line);
        if (fast_ && more) {
          position_ms = static_cast<double>(line.arrival_ms);
        }
      }
      show(runners, sent, static_cast<std::int64_t>(position_ms));
      if (!fast_) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    }
    producer.flush();
    last_ms_ = static_cast<std::int64_t>(position_ms);
    return true;
  }

  // Until `reached` says so; EnvironmentError when nothing moves for long.
  template <class Reached>
  bool wait_until(Runners const& runners, std::uint64_t sent, std::int64_t position_ms,
                  std::stop_token const& stop, char const* what, Reached reached) {
    auto moved = std::chrono::steady_clock::now();
    std::uint64_t read_before = 0;
    for (;;) {
      if (stop.stop_requested()) {
        return false;
      }
      bool all = true;
      std::uint64_t read = 0;
      for (auto const& runner : runners) {
        Progress const progress = runner->progress();
        all = all && !progress.sources.empty() && reached(progress.sources.front());
        if (!progress.sources.empty()) {
          read += progress.sources.front().read;
        }
      }
      if (all) {
        return true;
      }
      auto const now = std::chrono::steady_clock::now();
      if (read != read_before) {
        moved = now;
      }
      read_before = read;
      if (now - moved > patience) {
        throw EnvironmentError(fmt::format("demo: the pipelines must {}: read={}", what, read),
                               exit_internal);
      }
      show(runners, sent, position_ms);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  bool wait_for_watermarks(Runners const& runners, std::uint64_t sent, std::int64_t position_ms,
                           std::stop_token const& stop) {
    return wait_until(runners, sent, position_ms, stop, "have a watermark",
                      [](SourceProgress const& source) { return source.watermark > T_MIN; });
  }
  bool wait_until_read(Runners const& runners, std::uint64_t lines, std::stop_token const& stop) {
    return wait_until(runners, lines, last_ms_, stop, "read all that was sent",
                      [&](SourceProgress const& source) { return source.read >= lines; });
  }

  pageviews::Settings settings_;
  std::uint32_t events_ = 100'000;
  double rate_ = 300;
  bool fast_ = false;
  std::string directory_, database_;
  Invocation invocation_;
  std::int64_t last_ms_ = 0;
  std::optional<LiveView> view_;
  std::map<std::string, ProgressText> texts_;  // by pipeline
};

}  // namespace

std::unique_ptr<Verb> demo_verb() { return std::make_unique<Demo>(); }

}  // namespace windrow::cli
