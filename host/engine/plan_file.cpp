#define XXH_INLINE_ALL
#include "host/engine/plan_file.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "host/engine/durable_file.hpp"

namespace windrow {
namespace {

constexpr std::string_view magic = "windrowp";

void put_bool(ByteWriter& out, bool v) { out.put(static_cast<std::uint8_t>(v)); }
bool get_bool(ByteReader& in) { return in.get<std::uint8_t>() != 0; }

void put(ByteWriter& out, Range const& range) {
  out.put(range.partition);
  out.put(range.from);
  out.put(range.to);
  put_bool(out, range.caught_up);
  put_bool(out, range.ended);
  put_bool(out, range.own_watermark.has_value());
  out.put(range.own_watermark.value_or(T_MIN).us);
  out.text(range.name);
}
Range get_range(ByteReader& in) {
  Range range;
  range.partition = in.get<std::uint32_t>();
  range.from = in.get<std::int64_t>();
  range.to = in.get<std::int64_t>();
  range.caught_up = get_bool(in);
  range.ended = get_bool(in);
  bool const has_own = get_bool(in);
  Watermark const own{in.get<std::int64_t>()};
  if (has_own) {
    range.own_watermark = own;
  }
  range.name = in.text();
  return range;
}

std::string content_of(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (!file || !(content << file.rdbuf())) {
    throw_io_error("read the plan", path);
  }
  return std::move(content).str();
}

}  // namespace

std::string plan_bytes(RecordedPlan const& recorded) {
  BatchPlan const& plan = recorded.plan;
  ByteWriter out;
  for (char const c : magic) {
    out.put(c);
  }
  out.put(plan_format);
  out.put(recorded.graph_hash);
  out.put(recorded.epoch);
  out.text(recorded.writer);
  out.put(plan.batch_no);
  out.put(plan.pane_version);
  out.put(plan.processing_time.us);
  put_bool(out, plan.drain);
  put_bool(out, plan.refuse_new_keys);
  out.put(static_cast<std::uint32_t>(plan.watermark_in.size()));
  for (Watermark const w : plan.watermark_in) {
    out.put(w.us);
  }
  out.put(static_cast<std::uint32_t>(plan.ranges.size()));
  for (auto const& ranges : plan.ranges) {
    out.put(static_cast<std::uint32_t>(ranges.size()));
    for (Range const& range : ranges) {
      put(out, range);
    }
  }
  out.put(std::uint64_t{XXH3_64bits(out.bytes().data(), out.bytes().size())});
  return std::string(out.bytes());
}

RecordedPlan read_plan(std::filesystem::path const& path) {
  std::string const content = content_of(path);
  std::string_view body = content;
  auto const damaged = [&path](std::string_view fault) {
    return DamageError(fmt::format("plan: damaged, {}: path={}", fault, path.string()));
  };
  if (body.size() < magic.size() + sizeof(std::uint32_t) + sizeof(std::uint64_t)) {
    throw damaged("it is cut short");
  }
  if (body.substr(0, magic.size()) != magic) {
    throw damaged("it does not begin as a plan");
  }
  body.remove_suffix(sizeof(std::uint64_t));
  if (ByteReader({content.data() + body.size(), sizeof(std::uint64_t)}).get<std::uint64_t>() !=
      XXH3_64bits(body.data(), body.size())) {
    throw damaged("its checksum differs");
  }
  ByteReader in(body.substr(magic.size()));
  if (auto const format = in.get<std::uint32_t>(); format != plan_format) {
    throw EnvironmentError(
        fmt::format("plan: its format is not known; let the version that wrote it stop cleanly "
                    "first: path={} format={} known={}",
                    path.string(), format, plan_format),
        74);
  }
  RecordedPlan recorded;
  BatchPlan& plan = recorded.plan;
  recorded.graph_hash = in.get<std::uint64_t>();
  recorded.epoch = in.get<std::uint64_t>();
  recorded.writer = in.text();
  plan.batch_no = in.get<std::int64_t>();
  plan.pane_version = in.get<std::int64_t>();
  plan.processing_time.us = in.get<std::int64_t>();
  plan.drain = get_bool(in);
  plan.refuse_new_keys = get_bool(in);
  for (auto left = in.get<std::uint32_t>(); left > 0; --left) {
    plan.watermark_in.push_back({in.get<std::int64_t>()});
  }
  for (auto sources = in.get<std::uint32_t>(); sources > 0; --sources) {
    auto& ranges = plan.ranges.emplace_back();
    for (auto left = in.get<std::uint32_t>(); left > 0; --left) {
      ranges.push_back(get_range(in));
    }
  }
  return recorded;
}

}  // namespace windrow
