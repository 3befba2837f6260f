// One input of the decoder's fuzzer: records, decoded together and each by itself, by the fast walk
// and by On-Demand, must agree.
#pragma once
#include <cstdio>
#include <cstdlib>

#include "tests/corpus/json_corpus.hpp"
#include "tests/decoded.hpp"

namespace windrow::testing {

// The same record with one more key that nobody wants; its escape keeps it from the walk over plain
// records (ingest/json_plain.hpp).
inline std::string not_plain(std::string record) {
  std::size_t const first = record.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first == std::string::npos || record[first] != '{') {
    return record;
  }
  std::size_t const next = record.find_first_not_of(" \t\r\n", first + 1);
  bool const empty = next != std::string::npos && record[next] == '}';
  return record.insert(first + 1, empty ? R"("\u0020":0)" : R"("\u0020":0,)");
}

// `data` holds records, 0x1e between; the first byte chooses the format.  Aborts on a
// contradiction.
inline void fuzz_json_decoder(std::string_view data) {
  unsigned const choice = data.empty() ? 0 : static_cast<unsigned char>(data[0]);
  if (!data.empty()) {
    data.remove_prefix(1);
  }
  JsonDecoderOptions options{corpus_schema(),
                             choice % 2 == 0 ? PayloadFormat::json : PayloadFormat::ndjson,
                             {},
                             choice % 8 == 7};
  if (choice % 4 >= 2) {
    options.event_time = JsonDecoderOptions::TimeField{"n", static_cast<TimeUnit>(choice / 8 % 5)};
  }
  std::vector<std::string> records;
  for (std::size_t at = 0; at <= data.size();) {
    std::size_t const end = std::min(data.find('\x1e', at), data.size());
    records.emplace_back(data.substr(at, end - at));
    at = end + 1;
  }
  JsonDecoder decoder(options);
  auto const decode = [&](std::size_t first, std::size_t count, bool plain = true) {
    Messages messages;
    for (std::size_t i = first; i < first + count; ++i) {
      messages.add(plain ? records[i] : not_plain(records[i]));
    }
    DecodedChunk chunk;
    decoder.decode(messages.batch(), 0, count, chunk);
    std::vector<std::vector<std::string>> lines(count);  // per record, without its number
    for (std::string const& line : lines_of(options.schema, chunk, true)) {
      lines[std::stoul(line)].push_back(line.substr(line.find_first_of(":.")));
    }
    return lines;
  };
  auto const compare = [&](std::size_t record, char const* way,
                           std::vector<std::string> const& lines,
                           std::vector<std::string> const& others) {
    if (lines == others) {
      return;
    }
    std::fprintf(stderr, "record %zu is another one %s: %s\n", record, way,
                 records[record].substr(0, 200).c_str());
    for (auto const* some : {&lines, &others}) {
      for (std::string const& line : *some) {
        std::fprintf(stderr, "  %s\n", line.c_str());
      }
      std::fprintf(stderr, "\n");
    }
    std::abort();
  };
  auto const together = decode(0, records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    compare(i, "beside its neighbours", together[i], decode(i, 1)[0]);
    if (options.format == PayloadFormat::json && !options.validate_full) {
      compare(i, "by On-Demand", together[i], decode(i, 1, false)[0]);
    }
  }
}

}  // namespace windrow::testing
