#include "host/cli/command_line.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "host/cli/log.hpp"
#include "host/cli/one_of.hpp"
#include "host/cli/verbs.hpp"
#include "host/plan/suggestion.hpp"

namespace windrow::cli {
namespace {

constexpr char const *every_verb = "Options of every verb",
                     *pipelines = "Options of verbs that read pipeline files";

// What will come, so that it is refused by its name.
constexpr char const* later_verbs[] = {"new", "top", "tap", "dlq", "completion", "debug"};
struct LaterOption {
  std::string_view verb, name;
};
constexpr LaterOption later_options[] = {{"check", "--connect"},
                                         {"run", "--since"},
                                         {"run", "--from-group-offsets"},
                                         {"run", "--discard-state"},
                                         {"run", "--admin"}};

void add_shared_options(CLI::App& app, Invocation& invocation) {
  app.add_option("--log-format", invocation.log_format, "form of the log on stderr")
      ->check(one_of({"text", "json", "logfmt"}))
      ->capture_default_str()
      ->group(every_verb);
  app.add_option("--color", invocation.color, "when to use colours")
      ->check(one_of({"auto", "always", "never"}))
      ->capture_default_str()
      ->group(every_verb);
  app.add_flag("--json", invocation.json, "results as JSON")->group(every_verb);
  app.add_flag("--quiet", invocation.quiet, "warnings and errors only")->group(every_verb);
  app.add_option("-c", invocation.overlay,
                 "engine settings that replace options.windrow, a YAML file")
      ->group(pipelines);
  app.add_option("--set", invocation.sets, "path=value: one engine setting, over -c")
      ->allow_extra_args(false)
      ->group(pipelines);
  app.add_option("--var", invocation.vars, "name=value: replaces {{ name }} in the file")
      ->allow_extra_args(false)
      ->group(pipelines);
}

std::string group_text(CLI::App const& app, std::string const& group) {
  return CLI::Formatter{}.make_group(group, false, app.get_options([&](CLI::Option const* option) {
    return option->get_group() == group;
  }));
}

int usage_error(std::string const& text) {
  say(fmt::format("windrow: {}", text), spdlog::level::err);
  return exit_usage;
}

std::string meant(std::string_view word, std::vector<std::string> const& names) {
  std::string const near = nearest(word, names);
  return near.empty() ? "" : fmt::format(", did you mean '{}'?", near);
}

// The command as it is built up, and what is wrong with words that it does not take.
class CommandLine {
 public:
  CommandLine() {
    app_.require_subcommand(1);
    add_shared_options(app_, invocation_);
    verbs_.push_back(run_verb());
    verbs_.push_back(check_verb());
    verbs_.push_back(test_verb());
    verbs_.push_back(explain_verb());
    verbs_.push_back(plan_verb());
    verbs_.push_back(state_verb());
    verbs_.push_back(gen_verb());
    verbs_.push_back(demo_verb());
    verbs_.push_back(bench_verb());
    verbs_.push_back(doctor_verb());
    verbs_.push_back(schema_verb());
    verbs_.push_back(version_verb());
    verbs_.push_back(mock_broker_verb());
    for (auto const& verb : verbs_) {
      CLI::App* const sub = verb->add_to(app_);
      sub->fallthrough();
      sub->footer(group_text(app_, every_verb) +
                  (verb->reads_pipelines() ? group_text(app_, pipelines) : ""));
      apps_.push_back(sub);
    }
    apps_.back()->group("");  // of the command itself: no user starts it
  }

  int run(std::vector<std::string> const& words) {
    if (words.empty()) {
      say(app_.help());
      return exit_usage;
    }
    if (std::optional<std::string> const fault = wrong_verb(words)) {
      return usage_error(*fault);
    }
    try {
      app_.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (CLI::CallForHelp const&) {
      fmt::print("{}", app_.help());
      return exit_ok;
    } catch (CLI::ParseError const& error) {
      return usage_error(fault_of(words, error));
    }
    start_log(invocation_.log_format, invocation_.quiet);
    for (std::size_t i = 0; i < verbs_.size(); ++i) {
      if (apps_[i]->parsed()) {
        return run(*verbs_[i], *apps_[i]);
      }
    }
    return exit_usage;
  }

 private:
  int run(Verb& verb, CLI::App const& app) {
    for (CLI::Option const* option : app_.get_options()) {
      if (option->get_group() == pipelines && option->count() > 0 && !verb.reads_pipelines()) {
        return usage_error(fmt::format("'{}' means nothing to {}, which reads no pipeline file",
                                       option->get_name(), app.get_name()));
      }
    }
    return verb.run(invocation_);
  }

  [[nodiscard]] CLI::App const* verb_named(std::string const& word) const {
    auto const found = std::find_if(apps_.begin(), apps_.end(),
                                    [&](CLI::App const* a) { return a->get_name() == word; });
    return found == apps_.end() ? nullptr : *found;
  }

  // The first word that is neither an option nor the value of one.
  [[nodiscard]] std::string first_word(std::vector<std::string> const& words) const {
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (words[i].size() < 2 || words[i].front() != '-') {
        return words[i];
      }
      CLI::Option const* const option = app_.get_option_no_throw(words[i]);
      if (option != nullptr && option->get_expected_min() > 0) {
        ++i;
      }
    }
    return "";
  }

  [[nodiscard]] std::optional<std::string> wrong_verb(std::vector<std::string> const& words) const {
    std::string const word = first_word(words);
    if (word.empty() || verb_named(word) != nullptr) {
      return std::nullopt;
    }
    if (std::find(std::begin(later_verbs), std::end(later_verbs), word) != std::end(later_verbs)) {
      return fmt::format("verb '{}' is not built yet", word);
    }
    std::vector<std::string> names;
    for (CLI::App const* app : apps_) {
      if (!app->get_group().empty()) {
        names.push_back(app->get_name());
      }
    }
    return fmt::format("unknown verb '{}'{}; `windrow --help` lists them", word,
                       meant(word, names));
  }

  // The parser's message, or what is the likelier fault: an option that it does not know.
  [[nodiscard]] std::string fault_of(std::vector<std::string> const& words,
                                     CLI::ParseError const& error) const {
    CLI::App const* const verb = verb_named(first_word(words));
    std::vector<std::string> names;
    for (CLI::App const* app : {static_cast<CLI::App const*>(&app_), verb}) {
      for (CLI::Option const* option :
           app == nullptr ? std::vector<CLI::Option const*>{} : app->get_options()) {
        for (std::string const& name : option->get_lnames()) {
          names.push_back("--" + name);
        }
      }
    }
    for (std::string const& word : words) {
      std::string const name = word.substr(0, word.find('='));
      if (!name.starts_with("--") || std::find(names.begin(), names.end(), name) != names.end()) {
        continue;
      }
      std::string const of = verb == nullptr ? "" : fmt::format(" of {}", verb->get_name());
      bool const later = std::any_of(
          std::begin(later_options), std::end(later_options), [&](LaterOption const& option) {
            return verb != nullptr && option.verb == verb->get_name() && option.name == name;
          });
      return later ? fmt::format("option '{}'{} is not built yet", name, of)
                   : fmt::format("unknown option '{}'{}{}; `windrow {}{}--help` lists them", name,
                                 of, meant(name, names), verb == nullptr ? "" : verb->get_name(),
                                 verb == nullptr ? "" : " ");
    }
    if (verb == nullptr) {
      return "a verb is missing; `windrow --help` lists them";
    }
    return fmt::format("{}: {}", verb->get_name(), error.what());
  }

  CLI::App app_{"Windrow: windowed aggregation of streams, by Apache Beam's model.", "windrow"};
  Invocation invocation_;
  std::vector<std::unique_ptr<Verb>> verbs_;
  std::vector<CLI::App*> apps_;  // one per verb
};

}  // namespace

int parse_and_run(std::vector<std::string> const& words) { return CommandLine{}.run(words); }

}  // namespace windrow::cli
