// ns per event of decoding page views, beside bare simdjson over the same bytes and fields
// (performance.md 1.1, 2.1).
#include <fmt/format.h>
#include <simdjson.h>

#include <random>
#include <string>
#include <vector>

#include "bench/timing.hpp"
#include "ingest/json_decoder.hpp"

namespace windrow {
namespace {

constexpr std::size_t events = 8192;

// What the records look like.
//   five      the five fields of `fields`, in one order
//   shuffled  the same, every record in an order of its own
//   site      seven fields, two of them in no schema here, as `windrow gen pageviews` writes them
//   escaped   `five`, with `\/` in every URL
//   poisoned  `five`, one in 1000 cut in half
//   nested    `five`, the country as a list of one
enum class Shape { five, shuffled, site, escaped, poisoned, nested };

std::vector<Field> const fields{{"user_id", {ValueType::string, {}}, false},
                                {"url", {ValueType::string, {}}, false},
                                {"ts", {ValueType::integer, {}}, false},
                                {"dwell_ms", {ValueType::integer, {}}, true},
                                {"country", {ValueType::string, {}}, true}};

std::vector<std::string> page_views(Shape shape) {
  std::mt19937_64 random(42);
  std::vector<std::string> records;
  for (std::size_t i = 0; i < events; ++i) {
    std::uint64_t const user = random() % 1'000'000;
    std::vector<std::string> parts{
        fmt::format(R"("user_id":"u{:07}")", user),
        fmt::format(R"("url":"{0}page{0}{1:05}")", shape == Shape::escaped ? R"(\/)" : "/",
                    random() % 50'000),
        fmt::format(R"("ts":{})", 1'763'794'800'000 + i),
        fmt::format(R"("dwell_ms":{})", 1000 + random() % 90'000),
        fmt::format(R"("country":"{}")", random() % 2 == 0 ? "BR" : "US")};
    if (shape == Shape::site) {
      parts.insert(parts.begin(), fmt::format(R"("event_id":"u{:07}-{}")", user, i % 100));
      parts.emplace_back(R"("referrer":null)");
    }
    if (shape == Shape::nested) {
      parts.back() = R"("country":["BR"])";
    }
    if (shape == Shape::shuffled) {
      std::shuffle(parts.begin(), parts.end(), random);
    }
    records.push_back(fmt::format("{{{}}}", fmt::join(parts, ",")));
    if (shape == Shape::poisoned && i % 1000 == 999) {
      records.back().resize(records.back().size() / 2);
    }
  }
  return records;
}

// Bare On-Demand over bytes that are already joined: the first `used` fields found in order,
// nothing kept.
class Bare {
 public:
  Bare(std::vector<std::string> const& records, std::size_t used) : used_(used) {
    for (std::string const& record : records) {
      joined_ += record + "\n";
    }
    bytes_ = joined_.size();
    joined_.append(simdjson::SIMDJSON_PADDING, ' ');
    parser_.threaded = false;
  }
  void operator()() {
    simdjson::ondemand::document_stream documents;
    if (parser_.iterate_many(joined_.data(), bytes_, bytes_ + 1).get(documents) !=
        simdjson::SUCCESS) {
      std::abort();
    }
    std::int64_t sum = 0;
    for (auto document : documents) {
      simdjson::ondemand::object object = document.get_object();
      auto const text = [&](char const* name) {
        sum += static_cast<std::int64_t>(object.find_field(name).raw_json_token().value().size());
      };
      text("user_id");
      text("url");
      sum += object.find_field("ts").get_int64().value();
      if (used_ == 5) {
        sum += object.find_field("dwell_ms").get_int64().value();
        text("country");
      }
    }
    benchmark::DoNotOptimize(sum);
  }

 private:
  std::size_t used_, bytes_ = 0;
  std::string joined_;
  simdjson::ondemand::parser parser_;
};

void decode(benchmark::State& state, Shape shape, std::size_t used, PayloadFormat format,
            bool full) {
  std::vector<std::string> const records = page_views(shape);
  std::string packed;
  RawBatch batch;
  for (std::string const& record : records) {
    batch.records.push_back(
        {record.data(), static_cast<std::uint32_t>(record.size()), 0, 0, T_MIN});
    packed += record + "\n";
  }
  if (format == PayloadFormat::ndjson) {
    batch.records.assign(1,
                         {packed.data(), static_cast<std::uint32_t>(packed.size()), 0, 0, T_MIN});
  }
  Schema schema;
  schema.fields.assign(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(used));
  if (shape == Shape::nested) {
    schema.fields.back().type.kind = ValueType::list;
  }
  JsonDecoder decoder({schema, format, {{"ts", TimeUnit::ms}}, full});
  DecodedChunk chunk;
  Bare bare(page_views(shape == Shape::site ? Shape::site : Shape::five), used);
  bench::paired(state, events, bare, [&] {
    decoder.decode(batch, 0, batch.records.size(), chunk);
    benchmark::DoNotOptimize(chunk.rows.rows());
  });
}

BENCHMARK_CAPTURE(decode, five_of_five, Shape::five, 5, PayloadFormat::json, false);
BENCHMARK_CAPTURE(decode, three_of_five, Shape::five, 3, PayloadFormat::json, false);
BENCHMARK_CAPTURE(decode, five_of_seven, Shape::site, 5, PayloadFormat::json, false);
BENCHMARK_CAPTURE(decode, three_of_seven, Shape::site, 3, PayloadFormat::json, false);
BENCHMARK_CAPTURE(decode, ndjson, Shape::five, 5, PayloadFormat::ndjson, false);
BENCHMARK_CAPTURE(decode, any_order, Shape::shuffled, 5, PayloadFormat::json, false);
BENCHMARK_CAPTURE(decode, escapes, Shape::escaped, 5, PayloadFormat::json, false);
BENCHMARK_CAPTURE(decode, poisoned_one_in_1000, Shape::poisoned, 5, PayloadFormat::json, false);
BENCHMARK_CAPTURE(decode, nested, Shape::nested, 5, PayloadFormat::json, false);
BENCHMARK_CAPTURE(decode, validate_full, Shape::five, 5, PayloadFormat::json, true);

}  // namespace
}  // namespace windrow
