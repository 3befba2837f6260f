// `windrow version` and `windrow doctor`.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "host/cli/machine.hpp"
#include "host/cli/verbs.hpp"

namespace windrow::cli {
namespace {

void print(Facts const& facts, bool json) {
  fmt::print("{}", json ? to_json(facts) : to_text(facts));
}

class Version final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    return app.add_subcommand("version", "facts about this build");
  }
  int run(Invocation const& invocation) override {
    print(build_facts(), invocation.json);
    return exit_ok;
  }
};

class Doctor final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb = app.add_subcommand(
        "doctor", "backends, processor, memory, limits and clock of this machine");
    verb->add_flag("--backends", backends_only_, "only the backends that can run, one a line");
    return verb;
  }
  int run(Invocation const& invocation) override {
    CudaInventory const gpus = cuda_devices();
    if (backends_only_) {
      std::vector<std::string> const names = backends_of(gpus);
      fmt::print("{}\n", invocation.json ? fmt::format("[\"{}\"]", fmt::join(names, "\",\""))
                                         : fmt::format("{}", fmt::join(names, "\n")));
      return exit_ok;
    }
    print(machine_facts(gpus), invocation.json);
    return exit_ok;
  }

 private:
  bool backends_only_ = false;
};

}  // namespace

std::unique_ptr<Verb> version_verb() { return std::make_unique<Version>(); }
std::unique_ptr<Verb> doctor_verb() { return std::make_unique<Doctor>(); }

}  // namespace windrow::cli
