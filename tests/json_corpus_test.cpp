// The hostile corpus: what is accepted and why not, against a golden file, another parser, shuffled
// neighbours, and through a Kafka topic.
#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <chrono>
#include <fstream>
#include <map>
#include <random>

#include "ingest/kafka_source.hpp"
#include "tests/corpus/json_corpus.hpp"
#include "tests/decoded.hpp"
#include "tests/fuzz/json_decoder_fuzz.hpp"
#include "tests/mock_kafka.hpp"

namespace windrow {
namespace {

using testing::CorpusCase;

// Per record: "ok" or the reason.
std::vector<std::string> outcomes(RawBatch const& batch, bool full) {
  JsonDecoder decoder({testing::corpus_schema(), PayloadFormat::json, {}, full});
  DecodedChunk chunk;
  decoder.decode(batch, 0, batch.records.size(), chunk);
  std::vector<std::string> found(batch.records.size());
  for (std::uint32_t const record : chunk.rows.origin) {
    EXPECT_EQ(found[record], "");
    found[record] = "ok";
  }
  for (RejectedRecord const& rejected : chunk.rejected) {
    EXPECT_EQ(found[rejected.record], "");
    found[rejected.record] = fault_name(rejected.fault);
  }
  return found;
}
std::vector<std::string> outcomes(std::vector<CorpusCase> const& cases, bool full) {
  testing::Messages messages;
  for (CorpusCase const& one : cases) {
    messages.add(one.bytes);
  }
  return outcomes(messages.batch(), full);
}

// name -> outcome, lazily and in full.
std::map<std::string, std::pair<std::string, std::string>> golden() {
  std::map<std::string, std::pair<std::string, std::string>> lines;
  std::ifstream file(std::string(WINDROW_SOURCE_DIR) + "/tests/corpus/json_corpus.golden");
  std::string name, lazy, full;
  while (file >> name >> lazy >> full) {
    lines[name] = {lazy, full};
  }
  return lines;
}

TEST(JsonCorpusTest, EveryCaseIsAcceptedOrSetAsideAsTheGoldenFileSays) {
  std::vector<CorpusCase> const cases = testing::json_corpus();
  EXPECT_GE(cases.size(), 2000U);
  auto const expected = golden();
  EXPECT_EQ(expected.size(), cases.size());
  std::vector<std::string> const lazy = outcomes(cases, false), full = outcomes(cases, true);
  std::string const path = ::testing::TempDir() + "json_corpus.actual";
  std::ofstream actual(path);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    actual << cases[i].name << '\t' << lazy[i] << '\t' << full[i] << '\n';
    auto const at = expected.find(cases[i].name);
    if (at == expected.end()) {
      ADD_FAILURE() << cases[i].name << " is not in the golden file; all outcomes: " << path;
      continue;
    }
    EXPECT_EQ(lazy[i], at->second.first) << cases[i].name << ": " << cases[i].bytes.substr(0, 200);
    EXPECT_EQ(full[i], at->second.second) << cases[i].name << ": " << cases[i].bytes.substr(0, 200);
  }
}

TEST(JsonCorpusTest, FullValidationAgreesWithAnotherParser) {
  std::vector<CorpusCase> const cases = testing::json_corpus();
  std::vector<std::string> const full = outcomes(cases, true);
  std::size_t sound = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    std::string const& text = cases[i].bytes;
    if (text.find('\0') != std::string::npos || text.find("\"\\uDE00") != std::string::npos) {
      continue;  // the other parser stops at NUL and takes a low surrogate without a high one
    }
    rapidjson::Document document;
    document.Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag |
                   rapidjson::kParseFullPrecisionFlag>(text.data(), text.size());
    bool const malformed = full[i] == "bad_json" || full[i] == "bad_utf8";
    if (document.HasParseError() &&
        document.GetParseError() == rapidjson::kParseErrorNumberTooBig) {
      continue;  // JSON has no largest number; we refuse one only where a field wants it
    }
    if (full[i] == "too_deep") {
      continue;
    }  // seen before the end of the record
    EXPECT_EQ(malformed, document.HasParseError())
        << cases[i].name << " " << full[i] << " "
        << rapidjson::GetParseError_En(document.GetParseError()) << ": " << text.substr(0, 200);
    sound += malformed ? 0 : 1;
  }
  EXPECT_GT(sound, 200U);
}

TEST(JsonCorpusTest, NeighboursDoNotChangeWhatACaseBecomes) {
  std::vector<CorpusCase> cases = testing::json_corpus();
  auto const expected = golden();
  unsigned const seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  std::vector<CorpusCase> mixed;
  for (CorpusCase const& one : cases) {
    mixed.push_back(one);
    for (auto i = random() % 3; i > 0; --i) {
      mixed.push_back({"good", R"({"user":"g","n":1})"});
    }
  }
  std::shuffle(mixed.begin(), mixed.end(), random);
  std::vector<std::string> const lazy = outcomes(mixed, false);
  for (std::size_t i = 0; i < mixed.size(); ++i) {
    EXPECT_EQ(lazy[i], mixed[i].name == "good" ? "ok" : expected.at(mixed[i].name).first)
        << mixed[i].name;
  }
}

TEST(JsonCorpusTest, TheFuzzersEntryFindsNoContradictionInTheCorpus) {
  std::vector<CorpusCase> const cases = testing::json_corpus();
  for (unsigned choice = 0; choice < 16; ++choice) {
    for (std::size_t i = choice; i + 4 < cases.size(); i += 16) {
      std::string input(1, static_cast<char>(choice));
      for (std::size_t k = 0; k < 4; ++k) {
        input += (k == 0 ? "" : "\x1e") + cases[i + k].bytes;
      }
      testing::fuzz_json_decoder(input);
    }
  }
}

// Whatever one byte, one cut or one copy makes of a record that the fast walk takes.
TEST(JsonCorpusTest, RecordsNearPlainOnesReadTheSameByTheFastWalkAndByOnDemand) {
  std::string const records[] = {
      R"({"user":"abc","n":-12,"x":1.5e3,"ok":true,"skip":{"a":[1]}})",
      R"({ "x" : 12345678901234567 , "skip" : [ "}" ] , "user" : "a\/b" , "n" : null })",
      R"({"n":1763794800123456,"user":7,"tags":[{}],"ok":false,"x":-0})"};
  std::vector<std::string> near;
  for (std::string const& record : records) {
    for (std::size_t at = 0; at < record.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string changed = record;
        changed[at] = static_cast<char>(byte);
        near.push_back(changed);
      }
      for (std::size_t n = 1; n <= 12; ++n) {
        std::string const part = record.substr(at, n);
        near.push_back(std::string(record).erase(at, n));
        near.push_back(std::string(record).insert(at, part));
        near.push_back(std::string(record).insert((at * 7 + n) % record.size(), part));
      }
      for (char const* more :
           {"\\", "\\\"", "{}", "\"n\":1,", ",\"user\":\"z\"", "\"\"", "0", "]"}) {
        near.push_back(std::string(record).insert(at, more));
      }
    }
  }
  for (std::size_t first = 0; first < near.size(); first += 50) {
    // No time; times in s, ms, us, ns and as RFC 3339.
    std::size_t const turn = first / 50 % 6;
    std::string input(1, static_cast<char>(turn == 0 ? 0 : 2 + 8 * (turn - 1)));
    for (std::size_t i = first; i < std::min(first + 50, near.size()); ++i) {
      std::string record = near[i];
      std::replace(record.begin(), record.end(), '\x1e', ' ');
      input += (i == first ? "" : "\x1e") + record;
    }
    testing::fuzz_json_decoder(input);
  }
}

TEST(JsonCorpusTest, ThroughATopicEveryRecordArrivesOnceByItsOffset) {
  std::vector<CorpusCase> const cases = testing::json_corpus();
  auto const expected = golden();
  testing::MockKafka kafka;
  constexpr int partitions = 4;
  kafka.create("hostile", partitions);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    kafka.produce("hostile", static_cast<int>(i % partitions), cases[i].bytes);
    if (i % 100 == 0) {
      kafka.flush();
    }
  }
  kafka.flush();
  KafkaSourceOptions options;
  options.topics = {"hostile"};
  options.bootstrap_servers = kafka.servers();
  options.start = KafkaSourceOptions::Start::earliest;
  options.consumer_config = {{"fetch.wait.max.ms", "2"}};
  KafkaSource source(options);
  source.open();
  std::vector<std::string> found(cases.size());
  std::size_t records = 0;
  auto const deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (records < cases.size()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << records << " " << source.status();
    RawBatch batch;
    source.poll(batch, 500, 20'000);
    std::vector<std::string> const some = outcomes(batch, false);
    for (std::size_t i = 0; i < some.size(); ++i) {
      RawRecord const& record = batch.records[i];
      auto const at = static_cast<std::size_t>(record.offset) * partitions + record.partition;
      ASSERT_LT(at, cases.size());
      EXPECT_EQ(found[at], "") << "twice";
      EXPECT_TRUE(std::string_view(record.data, record.bytes) == cases[at].bytes) << cases[at].name;
      found[at] = some[i];
    }
    records += some.size();
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(found[i], expected.at(cases[i].name).first) << cases[i].name;
  }
}

}  // namespace
}  // namespace windrow
