// One input of the decoder's fuzzer: records, decoded together and each by itself, must agree.
#pragma once
#include <cstdio>
#include <cstdlib>

#include "tests/corpus/json_corpus.hpp"
#include "tests/decoded.hpp"

namespace windrow::testing {

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
  auto const decode = [&](std::size_t first, std::size_t count) {
    Messages messages;
    for (std::size_t i = first; i < first + count; ++i) {
      messages.add(records[i]);
    }
    DecodedChunk chunk;
    decoder.decode(messages.batch(), 0, count, chunk);
    std::vector<std::vector<std::string>> lines(count);  // per record, without its number
    for (std::string const& line : lines_of(options.schema, chunk, true)) {
      lines[std::stoul(line)].push_back(line.substr(line.find_first_of(":.")));
    }
    return lines;
  };
  auto const together = decode(0, records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto const alone = decode(i, 1)[0];
    if (alone != together[i]) {
      std::fprintf(stderr, "record %zu is another one beside its neighbours: %s\n", i,
                   records[i].substr(0, 200).c_str());
      for (auto const* lines : {&alone, &together[i]}) {
        for (std::string const& line : *lines) {
          std::fprintf(stderr, "  %s\n", line.c_str());
        }
        std::fprintf(stderr, "\n");
      }
      std::abort();
    }
  }
}

}  // namespace windrow::testing
