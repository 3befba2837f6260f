// The broker of the demo: `windrow mock-broker` and the process that runs it.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <array>
#include <cstdio>

#include "host/cli/demo.hpp"
#include "host/cli/stop_signals.hpp"
#include "host/cli/verbs.hpp"
#include "host/engine/snapshot.hpp"
#include "ingest/kafka_mock_broker.hpp"

namespace windrow::cli {
namespace {

constexpr int start_timeout_ms = 10'000;

class MockBroker final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb =
        app.add_subcommand("mock-broker", "the broker of `demo`; ends with its stdin");
    verb->add_option("--topic", topic_)->required();
    verb->add_option("--partitions", partitions_)->required()->check(CLI::Range(1, 1000));
    return verb;
  }
  int run(Invocation const&) override {
    KafkaMockBroker broker;
    broker.create_topic(topic_, partitions_);
    fmt::print("{}\n", broker.bootstrap_servers());
    std::fflush(stdout);
    std::array<char, 64> ignored{};
    while (read(STDIN_FILENO, ignored.data(), ignored.size()) > 0) {
    }
    return exit_ok;
  }

 private:
  std::string topic_;
  int partitions_ = 0;
};

[[noreturn]] void fail(char const* what) {
  throw EnvironmentError(fmt::format("demo: the broker must start: {}", what), exit_unreachable);
}

}  // namespace

std::unique_ptr<Verb> mock_broker_verb() { return std::make_unique<MockBroker>(); }

BrokerProcess::BrokerProcess(std::string const& topic, std::uint32_t partitions) {
  std::array<int, 2> to{}, from{};
  if (pipe2(to.data(), O_CLOEXEC) != 0) {
    fail("no pipe");
  }
  if (pipe2(from.data(), O_CLOEXEC) != 0) {
    close(to[0]);
    close(to[1]);
    fail("no pipe");
  }
  std::string const count = fmt::format("{}", partitions);
  std::array<char const*, 7> const words = {"windrow",      "mock-broker", "--topic", topic.c_str(),
                                            "--partitions", count.c_str(), nullptr};
  child_ = fork();
  if (child_ == 0) {
    // A signal from the terminal goes to the whole group; the broker must outlive the drain.
    setpgid(0, 0);
    unblock_stop_signals();
    dup2(to[0], STDIN_FILENO);
    dup2(from[1], STDOUT_FILENO);
    execv("/proc/self/exe", const_cast<char* const*>(words.data()));
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  keep_alive_ = to[1];
  pollfd answer{from[0], POLLIN, 0};
  while (child_ > 0 && bootstrap_servers_.find('\n') == std::string::npos &&
         poll(&answer, 1, start_timeout_ms) == 1) {
    std::array<char, 256> bytes{};
    ssize_t const size = read(from[0], bytes.data(), bytes.size());
    if (size <= 0) {
      break;
    }
    bootstrap_servers_.append(bytes.data(), static_cast<std::size_t>(size));
  }
  close(from[0]);
  if (bootstrap_servers_.empty() || bootstrap_servers_.back() != '\n') {
    close(keep_alive_);
    if (child_ > 0) {
      waitpid(child_, nullptr, 0);
    }
    fail("it did not say where it listens");
  }
  bootstrap_servers_.pop_back();
}

BrokerProcess::~BrokerProcess() {
  close(keep_alive_);
  waitpid(child_, nullptr, 0);
}

}  // namespace windrow::cli
