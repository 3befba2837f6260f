#include "host/cli/transcript/run.hpp"

#include <fmt/format.h>

#include <map>

#include "host/cli/transcript/expect.hpp"
#include "host/cli/transcript/scripted_source.hpp"
#include "host/engine/pipeline.hpp"
#include "host/engine/snapshot_file.hpp"
#include "host/plan/suggestion.hpp"

namespace windrow::transcript {

namespace {

// A group field as the format writes it: text as it is, all else as JSON.
std::string plain_text(Scalar const& value) {
  if (value.kind == Scalar::Kind::string) {
    return std::string(value.text);
  }
  std::string out;
  append_json(value, out);
  return out;
}

class Run : private Observer {
 public:
  Run(Play const& play, RunOptions const& options)
      : script_(play.script),
        graph_(play.graph),
        input_(play.input),
        keys_(play.keys),
        how_(play.how),
        options_(options) {
    for (Transform const& transform : graph_.transforms) {
      if (std::holds_alternative<Combine>(transform.config)) {
        steps_.push_back(transform.name);
      }
    }
    for (std::string const& step : script_.observe) {
      known(step);
    }
    start();
    pipeline_->open();
  }

  // `at`: the action that is played, or that gave a pane which nobody expects.
  void all_actions(std::size_t& at) {
    std::size_t batch = 0;
    for (at = 0; at < script_.actions->items.size(); ++at) {
      for (auto const& [name, value] : script_.actions->items[at].fields) {
        if (name == "expect") {
          expect(value);
        } else if (std::optional<Batch> rows = batch_of(name, value, script_, keys_)) {
          none_left(at, batch);
          play(std::move(*rows));
          batch = at;
        } else {
          act(name, value);
        }
      }
    }
    none_left(at, batch);
  }

 private:
  void start() {
    workers_ = std::make_unique<Workers>(1 + starts_++ % 3);
    auto source = std::make_unique<ScriptedSource>(input_.partitioned, input_.bounded);
    source_ = source.get();
    PipelineParts parts{.graph = graph_,
                        .sources = {},
                        .sinks = {},
                        .make_aggregation =
                            [this](AggregationSpec const& spec, std::size_t transform) {
                              return options_.make_aggregation(spec, transform, *workers_);
                            },
                        .clock = clock_,
                        .workers = *workers_,
                        .observer = *this};
    parts.sources.push_back({.transform = input_.transform,
                             .source = std::move(source),
                             .make_decoder = input_.make_decoder});
    pipeline_ = std::make_unique<Pipeline>(std::move(parts));
  }

  void act(std::string const& name, Node const& value) {
    if (name == "expect_counters") {
      return expect_counters(value);
    }
    if (name == "expect_output_watermark") {
      return expect_output_watermark(value);
    }
    if (name == "expect_watermark") {
      return same_time("Watermark differs", value.text,
                       pipeline_->progress().sources.front().watermark);
    }
    // A restart saves what it continues from, so a snapshot by itself changes nothing.
    if (name == "snapshot" || name == "restart") {
      return restart();
    }
    if (!script_.beam) {
      throw std::runtime_error("transcript: unknown action " + name);
    }
  }

  void play(Batch batch) {
    for (Batch& piece : split(std::move(batch), how_, 42)) {
      script_clock_us_ += piece.clock_us;
      clock_.set(script_clock_us_);
      for (Row& row : piece.rows) {
        row.ts_us = row.on_arrival ? script_clock_us_ : row.ts_us;
      }
      bool const drain = piece.drain;
      source_->set(std::move(piece));
      if (drain) {
        pipeline_->drain();
        drained_ = true;
      } else {
        pipeline_->step();
      }
    }
    if (options_.restart_always && !drained_) {  // a drained state refuses to go on
      restart();
    }
  }

  void on_panes(PanesView const& panes) override {
    Transform const& step = graph_.transforms[panes.transform];
    auto const& observed = script_.observe;
    if (!observed.empty() &&
        std::find(observed.begin(), observed.end(), step.name) == observed.end()) {
      return;
    }
    std::size_t const group = std::get<Combine>(step.config).group.size();
    for (std::size_t row = 0; row < panes.rows.rows; ++row) {
      Observed pane{.step = step.name,
                    .key = {},
                    .window = panes.rows.window[row],
                    .timestamp = panes.rows.event_time[row],
                    .info = panes.rows.info[row],
                    .deleted = panes.rows.deleted[row] != 0,
                    .drained = panes.stamp.is_drained(panes.rows.window[row]),
                    .columns = {}};
      if (pane.deleted && script_.ignore_tombstones) {
        continue;
      }
      for (std::size_t c = 0; c < panes.rows.columns.size(); ++c) {
        Scalar const value = panes.rows.columns[c].at(row);
        if (c < group) {
          pane.key.push_back(plain_text(value));
        }
        encode(value, pane.columns.emplace_back(step.output.fields[c].name, "").second);
      }
      std::string place = pane.step;
      if (!keys_.empty()) {
        for (std::string const& part : pane.key) {
          place += "|" + part;
        }
      }
      pane.order = orders_[place]++;
      panes_.push_back(std::move(pane));
    }
  }

  void none_left() {
    if (!panes_.empty()) {
      throw Difference("Unexpected output: " + describe(panes_.front()));
    }
    orders_.clear();
  }
  void none_left(std::size_t& at, std::size_t batch) {
    if (!panes_.empty()) {
      at = batch;
    }
    none_left();
  }

  // A name that no step has is a mistake of the script, not a pane that did not come.
  void known(std::string const& step) const {
    if (std::find(steps_.begin(), steps_.end(), step) == steps_.end()) {
      std::string const near = nearest(step, steps_);
      throw std::runtime_error(fmt::format("transcript: no step is called '{}'{}", step,
                                           near.empty() ? "" : ", did you mean '" + near + "'?"));
    }
  }

  // Every expectation without a key stands for one pane per key of the run.
  void expect(Node const& wanted) {
    for (Node const& one : wanted.items) {
      bool const every = !keys_.empty() && one.find("key") == nullptr;
      for (std::size_t i = 0; i < (every ? keys_.size() : 1); ++i) {
        Node want = one;
        if (every) {
          want["key"] = Node::string(keys_[i]);
        }
        if (Node const* const step = want.find("step")) {
          known(step->text);
        } else {
          want["step"] = Node::string(default_step());
        }
        auto const found = std::find_if(panes_.begin(), panes_.end(), [&](Observed const& pane) {
          return agrees(want, pane, script_.unit_us);
        });
        if (found == panes_.end()) {
          std::string have;
          for (Observed const& pane : panes_) {
            have += "\n    " + describe(pane);
          }
          throw Difference("Unmatched output: " + to_flow(want) + "; panes left:" + have);
        }
        panes_.erase(found);
      }
    }
    none_left();
  }

  [[nodiscard]] std::string default_step() const {
    if (script_.observe.empty()) {
      return steps_.back();
    }
    std::string last;
    for (Transform const& transform : graph_.transforms) {
      for (std::string const& name : script_.observe) {
        if (transform.name == name) {
          last = name;
        }
      }
    }
    return last;
  }

  // Totals of all steps and sources, or of the named step.
  [[nodiscard]] std::map<std::string, std::uint64_t> counters(std::string const& step_name) const {
    Progress const progress = pipeline_->progress();
    std::map<std::string, std::uint64_t> out;
    auto const add_faults = [&](FaultCounts const& counts) {
      out["bad_timestamp"] += counts[static_cast<std::size_t>(Fault::bad_timestamp)];
      out["future_timestamp"] += counts[static_cast<std::size_t>(Fault::future_timestamp)];
    };
    for (StepProgress const& step : progress.steps) {
      if (!step_name.empty() && step.name != step_name) {
        continue;
      }
      out["dropped_late"] += step.stats.dropped_late;
      out["dropped_closed"] += step.stats.dropped_closed;
      out["no_window"] += step.stats.no_window;
      out["overflow"] += step.stats.overflow;
      out["tombstones"] += step.stats.tombstones;
      out["windows_with_state"] += step.stats.windows_with_state;
      add_faults(step.set_aside);
    }
    for (SourceProgress const& source : progress.sources) {
      out["watermark_regressions"] += source.regressions;
      add_faults(source.set_aside);
    }
    return out;
  }

  void expect_counters(Node const& wanted) {
    Node const* const step = wanted.find("step");
    auto const have = counters(step == nullptr ? std::string() : step->text);
    for (auto const& [name, value] : wanted.fields) {
      if (name == "step") {
        continue;
      }
      auto const found = have.find(name);
      if (found == have.end()) {
        throw std::runtime_error("transcript: unknown counter " + name);
      }
      std::uint64_t const per_key =
          name == "watermark_regressions" || keys_.empty() ? 1 : keys_.size();
      std::uint64_t const want = std::stoull(value.text) * per_key;
      if (found->second != want) {
        throw Difference(
            fmt::format("Counters differ: {} is {}, expected {}", name, found->second, want));
      }
    }
  }

  [[nodiscard]] Watermark output_watermark(std::string const& step_name) const {
    for (StepProgress const& step : pipeline_->progress().steps) {
      if (step.name == step_name) {
        return step.output_watermark;
      }
    }
    known(step_name);
    return T_MIN;
  }

  void expect_output_watermark(Node const& wanted) {
    if (!wanted.is_map()) {
      return same_time("Output watermark differs", wanted.text, output_watermark(steps_.back()));
    }
    for (auto const& [step, time] : wanted.fields) {
      same_time("Output watermark differs", time.text, output_watermark(step));
    }
  }

  void same_time(std::string_view what, std::string const& wanted, Watermark have) const {
    Time const time = parse_time(wanted, script_.unit_us);
    bool const same =
        time.fraction ? time.us == have.us
                      : floor_div(time.us, script_.unit_us) == floor_div(have.us, script_.unit_us);
    if (!same) {
      throw Difference(fmt::format("{}: {}us, expected {}us", what, have.us, time.us));
    }
  }

  void restart() {
    std::string const path = options_.scratch + "/snapshot";
    pipeline_->settle();
    SnapshotFileWriter writer(path, "transcript", SnapshotHead{});
    pipeline_->snapshot(writer);
    writer.complete();
    writer.publish();
    start();
    SnapshotFileReader reader(path);
    pipeline_->restore(reader);
    reader.finish();
    pipeline_->open();
  }

  Script const& script_;
  Graph const& graph_;
  ScriptedInput const& input_;
  std::vector<std::string> const& keys_;
  Split how_;
  RunOptions const& options_;
  ScriptedClock clock_;
  std::int64_t script_clock_us_ = 0;
  unsigned starts_ = 0;
  bool drained_ = false;
  std::unique_ptr<Workers> workers_;
  std::unique_ptr<Pipeline> pipeline_;
  ScriptedSource* source_ = nullptr;  // owned by pipeline_
  std::vector<std::string> steps_;    // names, in the order of the file
  std::vector<Observed> panes_;
  std::map<std::string, std::size_t> orders_;
};

}  // namespace

void play(Play const& what, RunOptions const& options, std::size_t& at) {
  Run(what, options).all_actions(at);
}

}  // namespace windrow::transcript
