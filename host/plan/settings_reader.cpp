#include "host/plan/settings_reader.hpp"

#include <fmt/format.h>

#include <deque>

#include "host/plan/duration.hpp"
#include "host/plan/keys.hpp"

namespace windrow {
namespace {

// "1% over 10000", "0.01 over 10000" or "1%".
bool read_ratio(std::string_view text, EngineSettings& out) {
  std::size_t const over = text.find(" over ");
  std::string_view share = text.substr(0, over);
  bool const percent = share.ends_with('%');
  if (percent) {
    share.remove_suffix(1);
  }
  std::optional<double> const value = read_number(share);
  std::optional<std::int64_t> const count =
      over == std::string_view::npos ? 1 : read_integer(text.substr(over + 6));
  if (!value || !count || *value < 0 || *value > (percent ? 100 : 1) || *count < 1) {
    return false;
  }
  out.max_bad_ratio = percent ? *value / 100 : *value;
  out.max_bad_over = static_cast<std::uint64_t>(*count);
  return true;
}

std::string stem_of(std::string_view file_name) {
  std::size_t const slash = file_name.rfind('/');
  if (slash != std::string_view::npos) {
    file_name.remove_prefix(slash + 1);
  }
  std::size_t const dot = file_name.rfind('.');
  return std::string{dot == 0 ? file_name : file_name.substr(0, dot)};
}

}  // namespace

EngineSettings read_settings(Context& context, std::vector<YamlNode const*> const& maps,
                             std::string_view file_name) {
  EngineSettings out;
  out.application_id = stem_of(file_name);
  for (YamlNode const* const map : maps) {
    Keys const keys(context.report, map, *map, settings_keys(), "options.windrow",
                    "options.windrow");
    auto const refuse = [&](char const* name, std::string_view wanted) {
      YamlNode const& node = *keys.find(name);
      context.report.add("E141", node,
                         fmt::format("'{}' must be {}, is {}", name, wanted, kind_of(node)));
    };
    auto const positive = [&](char const* name, Duration& into) {
      if (!keys.has(name)) {
        return;
      }
      into = *keys.duration(name);
      if (into.us <= 0) {
        refuse(name, "positive");
      }
    };
    if (keys.has("application_id")) {
      out.application_id = keys.text("application_id");
    }
    if (keys.has("state")) {
      out.state = keys.text("state");
    }
    if (keys.has("device")) {
      out.device = *read_device(keys.text("device"));
    }
    if (YamlNode const* const gpu = keys.find("gpu")) {
      Keys const of_gpu(context.report, gpu, *gpu, gpu_keys(), "gpu of options.windrow", "gpu");
      if (YamlNode const* const limit = of_gpu.find("memory_limit")) {
        out.gpu_memory = *read_gpu_memory(limit->text);
        out.gpu_memory.place = context.report.place_of(*limit);
      }
    }
    if (keys.has("memory_limit")) {
      out.memory_limit = *keys.bytes("memory_limit");
      if (out.memory_limit == 0) {
        refuse("memory_limit", "positive");
      }
    }
    if (keys.has("batch_clock")) {
      out.batch_clock_wall = keys.text("batch_clock") == "wall";
    }
    if (keys.has("determinism")) {
      out.relaxed = keys.text("determinism") == "relaxed";
    }
    if (keys.has("clock_rate")) {
      out.clock_rate = *keys.number("clock_rate");
    }
    if (keys.has("batch_rows_max")) {
      std::int64_t const rows = *keys.integer("batch_rows_max");
      out.batch_rows_max = static_cast<std::size_t>(rows);
      if (rows > UINT32_MAX / 2) {
        refuse("batch_rows_max", "less than 2^31");
      }
    }
    if (keys.has("snapshot_bytes")) {
      out.snapshot_bytes = *keys.bytes("snapshot_bytes");
      if (out.snapshot_bytes == 0) {
        refuse("snapshot_bytes", "positive");
      }
    }
    positive("snapshot_interval", out.snapshot_interval);
    positive("tick_interval", out.tick_interval);
    positive("give_up_after", out.give_up_after);
    if (YamlNode const* const ratio = keys.find("max_bad_ratio")) {
      if (!ratio->is_scalar() || !read_ratio(ratio->text, out)) {
        refuse("max_bad_ratio", "a share such as '1% over 10000'");
      }
    }
    if (keys.has("threads")) {
      std::int64_t const threads = *keys.integer("threads");
      out.threads = static_cast<unsigned>(threads);
      if (threads > 1024) {
        refuse("threads", "at most 1024");
      }
    }
  }
  return out;
}

YamlNode const* read_set(Context& context, std::string const& text, int line, std::uint8_t source) {
  std::size_t const equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    context.report.add_at("E141", source, {line, 1}, static_cast<int>(text.size()), {},
                          fmt::format("--set takes path=value, is '{}'", text));
    return nullptr;
  }
  auto const scalar = [&](std::size_t begin, std::size_t end, std::string const& path) {
    YamlNode node;
    node.kind = YamlNode::Kind::scalar;
    node.text = text.substr(begin, end - begin);
    node.at = {line, static_cast<int>(begin) + 1};
    node.length = std::max(1, static_cast<int>(end - begin));
    node.verbatim = true;
    node.source = source;
    node.path = path;
    return node;
  };
  std::string const path = text.substr(0, equals);
  YamlNode value = scalar(equals + 1, text.size(), path);
  if (value.text.empty()) {
    value.kind = YamlNode::Kind::null;
  }
  // From the last part of the path outward.
  for (std::size_t end = equals; end != std::string::npos;) {
    std::size_t const dot = end == 0 ? std::string::npos : path.rfind('.', end - 1);
    std::size_t const begin = dot == std::string::npos ? 0 : dot + 1;
    YamlNode key = scalar(begin, end, path);
    YamlNode map = key;
    map.kind = YamlNode::Kind::map;
    map.entries.push_back({std::move(key), std::move(value)});
    value = std::move(map);
    end = dot;
  }
  context.documents.push_back(std::move(value));
  return &context.documents.back();
}

}  // namespace windrow
