// One example pipeline of the demo, on a thread of its own.
#pragma once
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "host/cli/pipeline_run.hpp"

namespace windrow::cli {

// Where the example files find their input and put their results.
//   embedded  the broker is librdkafka's mock
//   rate      seconds of the stream per second
struct DemoPlace {
  std::string bootstrap_servers, topic, database, bad_views;
  bool embedded = true;
  double rate = 1;
};

class DemoPipeline {
 public:
  // Starts to read; `file` is a name of examples/.
  DemoPipeline(std::string file, DemoPlace const& place);
  ~DemoPipeline();
  DemoPipeline(DemoPipeline const&) = delete;  // its thread refers to it
  DemoPipeline& operator=(DemoPipeline const&) = delete;

  [[nodiscard]] std::string const& file() const { return file_; }
  [[nodiscard]] Progress progress() const;  // the last that it said of itself
  // Throws what the pipeline threw; one that ended by itself did so before its input.
  void check() const;
  Summary drain();  // throws what the pipeline threw

 private:
  std::string file_;
  std::stop_source stop_;
  mutable std::mutex mutex_;
  Progress progress_;
  std::unique_ptr<PipelineRun> run_;
  std::exception_ptr failure_;  // written before `ended_`
  std::atomic<bool> ended_ = false;
  std::jthread thread_;  // last: joined before what it uses goes
};

}  // namespace windrow::cli
