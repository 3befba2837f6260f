#include "host/cli/transcript/documents.hpp"

#include <zlib.h>

#include <array>
#include <stdexcept>

#include "host/cli/transcript/scripted_source.hpp"
#include "host/plan/pipeline_file.hpp"

namespace windrow::transcript {

namespace {

Graph load_graph(std::string const& text, Schema const& rows) {
  LoadOptions options;
  options.purpose = LoadOptions::Purpose::test;
  options.schemas.emplace("Input", rows);
  LoadResult loaded = load("transcript.yaml", text, options);
  for (Finding const& finding : loaded.findings) {
    if (finding.severity == Severity::error) {
      throw Difference(finding.code + ": " + finding.text);
    }
  }
  return std::move(loaded.graph);
}

void run_all(Script const& script, RunOptions const& options) {
  Graph graph = load_graph(script.pipeline_text, script.rows);
  if (!script.watermark_text.empty()) {
    // A Create has no settings M of its own; the script's source stands for one that has.
    graph.transforms.front().config =
        load_graph(script.watermark_text, script.rows).transforms.front().config;
  }
  ScriptedInput const input{.transform = 0,
                            .partitioned = !script.watermark_text.empty(),
                            .bounded = script.bounded,
                            .make_decoder = [&script]() -> std::unique_ptr<Decoder> {
                              return std::make_unique<ScriptedDecoder>(script.rows);
                            }};
  std::size_t at = 0;
  for (auto const& keys : script.key_sets) {
    for (Split const how : script.splits) {
      play({script, graph, input, keys, how}, options, at);
    }
  }
}

}  // namespace

Result run_document(Node const& document, RunOptions const& options) {
  Result result;
  try {
    Script const script = read_script(document);
    result.name = script.name;
    if (script.skip) {
      result.kind = Result::Kind::skipped;
      return result;
    }
    std::string difference;
    try {
      run_all(script, options);
    } catch (Difference const& found) {
      difference = found.what();
    }
    if (script.error ? difference.find(*script.error) == std::string::npos : !difference.empty()) {
      result.kind = Result::Kind::failed;
      result.text = script.error ? "expected to fail with '" + *script.error + "': " + difference
                                 : difference;
    }
  } catch (std::exception const& error) {
    result.kind = Result::Kind::failed;
    result.text = error.what();
  }
  return result;
}

std::vector<Node> read_documents(std::string const& path) {
  gzFile const file = gzopen(path.c_str(), "rb");  // reads plain files as they are
  if (file == nullptr) {
    throw std::runtime_error("transcript: cannot read " + path);
  }
  std::string text;
  std::array<char, 1 << 16> buffer;
  for (int n = 0; (n = gzread(file, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
  gzclose(file);
  if (!path.ends_with(".jsonl")) {
    return parse_yaml(text);
  }
  std::vector<Node> documents;
  for (std::string_view left = text; !left.empty();) {
    std::size_t const end = left.find('\n');
    if (end != 0) {
      documents.push_back(parse_json(left.substr(0, end)));
    }
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
  }
  return documents;
}

}  // namespace windrow::transcript
