// `windrow demo`: broker, page views, two pipelines into one database, and the truth.
#include "host/cli/demo.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <unistd.h>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>
#include <utility>

#include "host/cli/demo_pipeline.hpp"
#include "host/cli/live_view.hpp"
#include "host/cli/log.hpp"
#include "host/cli/stop_signals.hpp"
#include "host/cli/verbs.hpp"
#include "ingest/kafka_line_producer.hpp"
#include "ingest/kafka_topic.hpp"

namespace windrow::cli {
namespace {

constexpr char const *database_name = "pageviews.db", *embedded_topic = "pageviews";
constexpr std::uint32_t partitions_min = 8;
constexpr std::int64_t five_minutes_ms = 300'000;
constexpr auto patience = std::chrono::seconds(60);  // without any progress

class Demo final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb = app.add_subcommand(
        "demo", "page views through a broker into SQLite, every row compared with the truth");
    verb->add_option("--bootstrap", bootstrap_servers_,
                     "HOST:PORT of an existing Kafka broker instead of the embedded one; the demo "
                     "makes a topic there and deletes it");
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
    settings_.partitions = partitions_min;
    if (bootstrap_servers_.empty()) {
      // About 1 MB a partition: the embedded broker keeps 5 MiB and forgets the rest.
      settings_.partitions =
          std::clamp(static_cast<std::uint32_t>(events_ / 8'000), partitions_min, 640U);
    }
    settings_.users = std::max(settings_.partitions, std::min(settings_.users, events_ / 20));
    StopSignals signals;
    std::optional<BrokerProcess> embedded;
    std::optional<KafkaTopic> topic;
    DemoPlace const place = bootstrap_servers_.empty() ? embed(embedded) : connect(topic);
    note(fmt::format("broker at {}, topic {}, {} partitions; database {}", place.bootstrap_servers,
                     place.topic, settings_.partitions, place.database));

    Pipelines pipelines;
    for (char const* file : {"pageviews.yaml", "sessions.yaml"}) {
      pipelines.push_back(std::make_unique<DemoPipeline>(file, place));
    }
    pageviews::Truth truth(pageviews::Reading::streamed);
    begin();
    KafkaLineProducer producer(place.bootstrap_servers, place.topic);
    bool const whole = deliver(producer, pipelines, truth, signals.token()) &&
                       wait_until_read(pipelines, truth.counts().lines, signals.token());
    if (!whole) {
      note("stopped before the end; nothing is compared");
      return 130;
    }
    std::vector<Summary> summaries;
    for (auto const& pipeline : pipelines) {
      summaries.push_back(pipeline->drain());
    }
    pipelines.clear();
    if (topic) {
      topic->remove();
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
  using Pipelines = std::vector<std::unique_ptr<DemoPipeline>>;

  void note(std::string const& text) const {
    if (!invocation_.quiet) {
      say(text);
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

  [[nodiscard]] DemoPlace place(std::string bootstrap_servers, std::string topic) const {
    return {.bootstrap_servers = std::move(bootstrap_servers),
            .topic = std::move(topic),
            .database = database_,
            .bad_views = (std::filesystem::path(directory_) / "bad-views.ndjson").string(),
            .embedded = bootstrap_servers_.empty(),
            .rate = fast_ ? 1 : rate_};
  }
  DemoPlace embed(std::optional<BrokerProcess>& broker) const {
    broker.emplace(embedded_topic, settings_.partitions);
    return place(broker->bootstrap_servers(), embedded_topic);
  }
  // The topic's name is new for every run.
  DemoPlace connect(std::optional<KafkaTopic>& topic) const {
    std::string const name = fmt::format(
        "windrow-demo-{}-{}", getpid(),
        std::chrono::system_clock::now().time_since_epoch() / std::chrono::microseconds(1));
    topic.emplace(bootstrap_servers_, name, settings_.partitions);
    return place(bootstrap_servers_, name);
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

  void show(Pipelines const& pipelines, std::uint64_t sent, std::int64_t position_ms) {
    for (auto const& pipeline : pipelines) {
      pipeline->check();
    }
    if (!view_->due()) {
      return;
    }
    std::vector<std::string> lines = {fmt::format("page views: {} of {} sent, the stream is at {}",
                                                  count_text(sent), count_text(events_),
                                                  time_text(EventTime{position_ms * 1000}))};
    for (auto const& pipeline : pipelines) {
      for (std::string& line : texts_[pipeline->file()].lines(pipeline->progress())) {
        lines.push_back("  " + std::move(line));
      }
    }
    view_->show(lines);
  }

  // In order of arrival; false if stopped.  After a pause of this process or of the machine the
  // stream is resumed where it was, never caught up in a burst: then a partition that just looked
  // idle would find the others minutes ahead.
  bool deliver(KafkaLineProducer& producer, Pipelines const& pipelines, pageviews::Truth& truth,
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
          if (!wait_for_watermarks(pipelines, sent, line.arrival_ms, stop)) {
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
      show(pipelines, sent, static_cast<std::int64_t>(position_ms));
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
  bool wait_until(Pipelines const& pipelines, std::uint64_t sent, std::int64_t position_ms,
                  std::stop_token const& stop, char const* what, Reached reached) {
    auto moved = std::chrono::steady_clock::now();
    std::uint64_t read_before = 0;
    for (;;) {
      if (stop.stop_requested()) {
        return false;
      }
      bool all = true;
      std::uint64_t read = 0;
      for (auto const& pipeline : pipelines) {
        Progress const progress = pipeline->progress();
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
      show(pipelines, sent, position_ms);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  bool wait_for_watermarks(Pipelines const& pipelines, std::uint64_t sent, std::int64_t position_ms,
                           std::stop_token const& stop) {
    return wait_until(pipelines, sent, position_ms, stop, "have a watermark",
                      [](SourceProgress const& source) { return source.watermark > T_MIN; });
  }
  bool wait_until_read(Pipelines const& pipelines, std::uint64_t lines,
                       std::stop_token const& stop) {
    return wait_until(pipelines, lines, last_ms_, stop, "read all that was sent",
                      [&](SourceProgress const& source) { return source.read >= lines; });
  }

  pageviews::Settings settings_;
  std::uint32_t events_ = 100'000;
  double rate_ = 300;
  bool fast_ = false;
  std::string bootstrap_servers_, directory_, database_;
  Invocation invocation_;
  std::int64_t last_ms_ = 0;
  std::optional<LiveView> view_;
  std::map<std::string, ProgressText> texts_;  // by pipeline
};

}  // namespace

std::unique_ptr<Verb> demo_verb() { return std::make_unique<Demo>(); }

}  // namespace windrow::cli
