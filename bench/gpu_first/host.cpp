// The host beside the GPU: copying and parsing on 1, 2, 4 .. threads.
#include <simdjson.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace windrow::gpu_first {

void measure_host();

namespace {

constexpr std::size_t copy_bytes = std::size_t{128} << 20U, lines = 100'000;
constexpr int rounds = 5;

// Seconds until all threads have done `body`, best of a few.
template <class Body>
double seconds(unsigned threads, Body const& body) {
  double best = 1e9;
  for (int round = 0; round < rounds; ++round) {
    auto const from = std::chrono::steady_clock::now();
    std::vector<std::jthread> running;
    for (unsigned t = 0; t < threads; ++t) {
      running.emplace_back([&body, t] { body(t); });
    }
    running.clear();
    best = std::min(best,
                    std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count());
  }
  return best;
}

std::string records() {
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) {
    text += R"({"user_id":"u)" + std::to_string(1'000'000 + i * 7919 % 1'000'000) +
            R"(","url":"/page/)" + std::to_string(i % 50'000) + R"(","ts":)" +
            std::to_string(1'763'794'800'000 + i) + R"(,"dwell_ms":)" +
            std::to_string(1000 + i % 90'000) + "}\n";
  }
  return text;
}

// All documents, four fields each; ends the program if one cannot be read.
void parse(simdjson::ondemand::parser& parser, simdjson::padded_string const& text) {
  simdjson::ondemand::document_stream documents;
  std::int64_t sum = 0;
  std::size_t found = 0;
  if (parser.iterate_many(text, 1U << 20U).get(documents) == simdjson::SUCCESS) {
    for (auto document : documents) {
      simdjson::ondemand::object object = document.get_object();
      sum +=
          static_cast<std::int64_t>(object.find_field("user_id").raw_json_token().value().size());
      sum += static_cast<std::int64_t>(object.find_field("url").raw_json_token().value().size());
      sum += object.find_field("ts").get_int64().value();
      sum += object.find_field("dwell_ms").get_int64().value();
      ++found;
    }
  }
  if (found != lines || sum == 0) {
    std::fprintf(stderr, "gpu_first: all documents should be read: found=%zu\n", found);
    std::exit(70);
  }
}

}  // namespace

void measure_host() {
  simdjson::padded_string const text(records());
  unsigned const most = std::max(1U, std::thread::hardware_concurrency());
  for (unsigned threads = 1;; threads = std::min(2 * threads, most)) {
    std::vector<std::vector<char>> from(threads, std::vector<char>(copy_bytes, 1)), to = from;
    double const copied = seconds(
        threads, [&](unsigned t) { std::memcpy(to[t].data(), from[t].data(), copy_bytes); });
    std::vector<simdjson::ondemand::parser> parsers(threads);
    for (auto& parser : parsers) {
      parser.threaded = false;
    }
    double const parsed = seconds(threads, [&](unsigned t) { parse(parsers[t], text); });
    std::printf(
        "{\"what\":\"host\",\"threads\":%u,\"memcpy_gb_s\":%.3f,\"simdjson_gb_s\":%.3f,"
        "\"simdjson_events_per_s\":%.4g}\n",
        threads, threads * static_cast<double>(copy_bytes) / copied * 1e-9,
        threads * static_cast<double>(text.size()) / parsed * 1e-9,
        threads * static_cast<double>(lines) / parsed);
    std::fflush(stdout);
    if (threads == most) {
      return;
    }
  }
}

}  // namespace windrow::gpu_first
