// `windrow gen pageviews`: seeded page views as files, and the truth about them.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "host/cli/log.hpp"
#include "host/cli/one_of.hpp"
#include "host/cli/verbs.hpp"
#include "host/engine/snapshot.hpp"
#include "ingest/pageviews/generator.hpp"
#include "ingest/pageviews/truth.hpp"

namespace windrow::cli {
namespace {

constexpr std::size_t lines_per_file = 100'000;

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

File create(std::string const& path) {
  File file(std::fopen(path.c_str(), "w"));
  if (file == nullptr) {
    throw EnvironmentError(fmt::format("gen: the file cannot be created: path={}", path),
                           exit_state);
  }
  return file;
}

void write(std::FILE* file, std::string const& text, std::string const& path) {
  if (std::fwrite(text.data(), 1, text.size(), file) != text.size()) {
    throw EnvironmentError(fmt::format("gen: the file cannot be written: path={}", path),
                           exit_state);
  }
}

void finish(std::FILE* file, std::string const& path) {
  if (std::fflush(file) != 0) {
    throw EnvironmentError(fmt::format("gen: the file cannot be written: path={}", path),
                           exit_state);
  }
}

class Gen final : public Verb {
 public:
  CLI::App* add_to(CLI::App& app) override {
    CLI::App* const verb = app.add_subcommand("gen", "seeded data, and what is true about them");
    verb->add_option("kind", kind_, "what to generate: pageviews")
        ->required()
        ->check(one_of({"pageviews"}));
    verb->add_option("--seed", settings_.seed, "names the data")->capture_default_str();
    verb->add_option("--events", events_, "views; repeated ones come on top")
        ->capture_default_str();
    verb->add_option("--users", settings_.users, "users")
        ->check(CLI::Range(1U, 10'000'000U))
        ->capture_default_str();
    verb->add_option("--pages", settings_.pages, "pages")
        ->check(CLI::Range(1U, 1'000'000U))
        ->capture_default_str();
    verb->add_option("--base", settings_.base_ms,
                     "begin, milliseconds since 1970, after 1970-01-02")
        ->check(CLI::Range(std::int64_t{86'400'000}, std::int64_t{4'102'444'800'000}))
        ->capture_default_str();
    verb->add_option("--out", out_, "directory for pageviews-*.ndjson, or - for stdout")
        ->capture_default_str();
    verb->add_option("--truth", truth_, "file for counts and result tables, as JSON");
    verb->add_option("--reading", reading_,
                     "truth of a job with watermark and lateness, or of one that "
                     "reads all as a whole")
        ->check(one_of({"streamed", "whole"}))
        ->capture_default_str();
    return verb;
  }

  int run(Invocation const& invocation) override {
    using namespace pageviews;
    settings_.events = events_;
    bool const to_stdout = out_ == "-";
    if (to_stdout && invocation.json) {
      throw EnvironmentError("gen: --json and --out - would both write to stdout", exit_usage);
    }
    if (!to_stdout) {
      std::error_code failed;
      std::filesystem::create_directories(out_, failed);
      if (failed) {
        throw EnvironmentError(fmt::format("gen: the directory cannot be created: path={} why={}",
                                           out_, failed.message()),
                               exit_state);
      }
    }
    Truth truth(reading_ == "whole" ? Reading::whole : Reading::streamed);
    Generator generator(settings_);
    File file;
    std::string path = "stdout";
    std::size_t files = 0, in_file = lines_per_file;
    for (Line line; generator.next(line);) {
      truth.add(line);
      if (!to_stdout && in_file == lines_per_file) {
        if (file != nullptr) {
          finish(file.get(), path);
        }
        path =
            (std::filesystem::path(out_) / fmt::format("pageviews-{:05}.ndjson", files++)).string();
        file = create(path);
        in_file = 0;
      }
      ++in_file;
      line.json += '\n';
      write(to_stdout ? stdout : file.get(), line.json, path);
    }
    finish(to_stdout ? stdout : file.get(), path);
    if (!truth_.empty()) {
      File const document = create(truth_);
      std::string text;
      write_json(truth, text);
      write(document.get(), text, truth_);
      finish(document.get(), truth_);
    }
    Counts const& c = truth.counts();
    if (invocation.json) {
      fmt::print(R"({{"lines":{},"bytes":{},"files":{},"accepted":{},"late":{},"future":{},)"
                 R"("truncated":{},"copies":{}}})"
                 "\n",
                 c.lines, c.bytes, files, c.accepted, c.late, c.future, c.truncated, c.copies);
    } else if (!invocation.quiet) {
      say(fmt::format(
          "{} lines, {} bytes in {} files: {} accepted, {} late, {} of the future, {} cut; "
          "{} of them repeat others",
          c.lines, c.bytes, files, c.accepted, c.late, c.future, c.truncated, c.copies));
    }
    return exit_ok;
  }

 private:
  pageviews::Settings settings_;
  std::string kind_, out_ = "data", truth_, reading_ = "streamed";
  std::uint64_t events_ = 100'000;
};

}  // namespace

std::unique_ptr<Verb> gen_verb() { return std::make_unique<Gen>(); }

}  // namespace windrow::cli
