// The `windrow` command: global options, verbs, and which exit code an error becomes.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "host/cli/log.hpp"
#include "host/cli/verbs.hpp"
#include "host/engine/snapshot.hpp"
#include "host/plan/suggestion.hpp"

namespace windrow::cli {
namespace {

void add_global_options(CLI::App& app, Invocation& invocation) {
  app.add_option("-c", invocation.overlay,
                 "engine settings that replace options.windrow, a YAML file");
  app.add_option("--set", invocation.sets, "path=value: one engine setting, over -c")
      ->allow_extra_args(false);
  app.add_option("--var", invocation.vars, "name=value: replaces {{ name }} in the file")
      ->allow_extra_args(false);
  app.add_option("--log-format", invocation.log_format, "form of the log on stderr")
      ->check(CLI::IsMember({"text", "json", "logfmt"}))
      ->capture_default_str();
  app.add_option("--color", invocation.color, "when to use colours")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->capture_default_str();
  app.add_flag("--json", invocation.json, "results as JSON");
  app.add_flag("--quiet", invocation.quiet, "warnings and errors only");
}

// The first word that is neither an option nor the value of one.
std::string first_word(std::vector<std::string> const& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string const& a = arguments[i];
    if (a == "-c" || a == "--set" || a == "--var" || a == "--log-format" || a == "--color") {
      ++i;
    } else if (a.empty() || a.front() != '-') {
      return a;
    }
  }
  return "";
}

int usage_error(std::string const& text) {
  fmt::print(stderr, "windrow: {}\n", text);
  return exit_usage;
}

int parse_and_run(std::vector<std::string> arguments) {
  std::vector<std::unique_ptr<Verb>> verbs;
  verbs.push_back(run_verb());
  verbs.push_back(check_verb());
  verbs.push_back(test_verb());
  verbs.push_back(explain_verb());
  verbs.push_back(gen_verb());
  verbs.push_back(demo_verb());
  verbs.push_back(doctor_verb());
  verbs.push_back(schema_verb());
  verbs.push_back(version_verb());
  std::size_t const shown = verbs.size();
  verbs.push_back(mock_broker_verb());

  CLI::App app{"Windrow: windowed aggregation of streams, by Apache Beam's model.", "windrow"};
  app.require_subcommand(1);
  Invocation invocation;
  add_global_options(app, invocation);
  std::vector<std::string> names;
  std::vector<CLI::App*> apps;
  for (std::size_t i = 0; i < verbs.size(); ++i) {
    CLI::App* const verb = verbs[i]->add_to(app);
    verb->fallthrough();
    if (i < shown) {
      names.push_back(verb->get_name());
    } else {
      verb->group("");
    }
    apps.push_back(verb);
  }

  std::string const word = first_word(arguments);
  if (!word.empty() &&
      std::none_of(apps.begin(), apps.end(), [&](CLI::App* a) { return a->get_name() == word; })) {
    std::string const near = nearest(word, names);
    return usage_error(fmt::format("unknown verb '{}'{}; `windrow --help` lists them", word,
                                   near.empty() ? "" : fmt::format(", did you mean '{}'?", near)));
  }
  if (arguments.empty()) {
    fmt::print(stderr, "{}", app.help());
    return exit_usage;
  }
  std::reverse(arguments.begin(), arguments.end());
  try {
    app.parse(arguments);
  } catch (CLI::CallForHelp const&) {
    fmt::print("{}", app.help());
    return exit_ok;
  } catch (CLI::ParseError const& error) {
    return usage_error(error.what());
  }
  start_log(invocation.log_format, invocation.quiet);
  for (std::size_t i = 0; i < verbs.size(); ++i) {
    if (apps[i]->parsed()) {
      return verbs[i]->run(invocation);
    }
  }
  return exit_usage;
}

}  // namespace
}  // namespace windrow::cli

int main(int count, char** words) {
  try {
    return windrow::cli::parse_and_run({words + 1, words + count});
  } catch (windrow::EnvironmentError const& error) {
    fmt::print(stderr, "windrow: {}\n", error.what());
    return error.exit_code();
  } catch (std::exception const& error) {
    fmt::print(stderr, "windrow: internal error: {}\n", error.what());
    return windrow::cli::exit_internal;
  }
}
