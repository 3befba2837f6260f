#include "host/cli/transcript/expect.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "host/cli/transcript/script.hpp"

namespace windrow::transcript {

namespace {

// Our number against the oracle's.  `within` is the bound of semantics.md 16.4 for the rows of the
// pane, which the oracle computes; a script written by hand gives short decimals instead.
bool near(double expected, double actual, std::optional<double> within) {
  if (std::isnan(expected) || std::isnan(actual)) {
    return std::isnan(expected) && std::isnan(actual);
  }
  if (within == 0.0) {  // exact: -0.0 is not 0.0
    return expected == actual && std::signbit(expected) == std::signbit(actual);
  }
  return expected == actual ||
         std::abs(expected - actual) <= within.value_or(std::abs(expected) * 1e-12);
}

bool equal_value(Node const& expected, Scalar const& actual,
                 std::optional<double> within = std::nullopt) {
  switch (expected.kind) {
    case Node::Kind::null:
      return actual.is_null();
    case Node::Kind::list: {
      if (actual.kind != Scalar::Kind::list) {
        return false;
      }
      ContainerReader members(actual.text);
      if (members.count() != expected.items.size()) {
        return false;
      }
      std::string_view name;
      Scalar member;
      for (std::size_t i = 0; members.next(name, member); ++i) {
        if (!equal_value(expected.items[i], member, within)) {
          return false;
        }
      }
      return true;
    }
    case Node::Kind::map: {
      if (actual.kind != Scalar::Kind::structure) {
        return false;
      }
      ContainerReader members(actual.text);
      if (members.count() != expected.fields.size()) {
        return false;
      }
      std::string_view name;
      Scalar member;
      while (members.next(name, member)) {
        Node const* field = expected.find(name);
        if (field == nullptr || !equal_value(*field, member, within)) {
          return false;
        }
      }
      return true;
    }
    case Node::Kind::scalar:
      break;
  }
  switch (actual.kind) {
    case Scalar::Kind::boolean:
      return expected.text == (actual.boolean ? "true" : "false");
    case Scalar::Kind::integer:
      return expected.text == std::to_string(actual.integer);
    case Scalar::Kind::number: {
      std::string const& text = expected.text;
      double const number = text == "NaN" || text == ".nan"        ? std::nan("")
                            : text == "Infinity" || text == ".inf" ? HUGE_VAL
                            : text == "-Infinity" || text == "-.inf"
                                ? -HUGE_VAL
                                : std::strtod(text.c_str(), nullptr);
      return near(number, actual.number, within);
    }
    case Scalar::Kind::string:
    case Scalar::Kind::bytes:
      return expected.text == actual.text;
    default:
      return false;
  }
}

std::string text_of(Scalar const& value) {
  std::string out;
  append_json(value, out);
  return out;
}

Scalar column(Observed const& pane, std::string_view name) {
  for (auto const& [column_name, encoded] : pane.columns) {
    if (column_name == name) {
      std::string_view bytes = encoded;
      return decode(bytes);
    }
  }
  return Scalar::of_string("(no such column)");
}

// The `values` of a pane, compared as a multiset.
bool same_values(Node const& expected, Scalar const& list) {
  std::vector<std::string> want, have;
  for (Node const& item : expected.items) {
    want.push_back(item.kind == Node::Kind::null ? "null" : item.text);
  }
  if (list.kind == Scalar::Kind::list) {
    ContainerReader members(list.text);
    std::string_view name;
    Scalar member;
    while (members.next(name, member)) {
      have.push_back(text_of(member));
    }
  } else if (!list.is_null()) {
    return false;
  }
  std::sort(want.begin(), want.end());
  std::sort(have.begin(), have.end());
  return want == have;
}

bool same_time(std::string const& expected, std::int64_t actual_us, std::int64_t unit_us) {
  Time const time = parse_time(expected, unit_us);
  return time.fraction ? time.us == actual_us
                       : floor_div(time.us, unit_us) == floor_div(actual_us, unit_us);
}

bool agrees_on(std::string const& name, Node const& want, Observed const& pane,
               std::int64_t unit_us) {
  auto const flag = [&](bool value) { return want.is_true() == value; };
  auto const edge = [&](std::size_t i) { return parse_time(want.items.at(i).text, unit_us).us; };
  if (name == "window") {
    return edge(0) == pane.window.start.us &&
           floor_div(edge(1), unit_us) == floor_div(pane.window.end.us - 1, unit_us);
  }
  if (name == "interval") {
    bool const global = pane.window.start == T_MIN;
    return (global && want.items.at(0).text == "-inf") ||
           (edge(0) == pane.window.start.us && edge(1) == pane.window.end.us);
  }
  if (name == "timestamp") {
    return same_time(want.text, pane.timestamp.us, unit_us);
  }
  if (name == "timing") {
    return !pane.deleted && want.text == timing_name(pane.info.timing);
  }
  if (name == "index") {
    return want.text == std::to_string(pane.info.index);
  }
  if (name == "nonspeculative_index") {
    return want.text == std::to_string(pane.info.nonspeculative_index);
  }
  if (name == "early") {
    return flag(pane.info.timing == PaneTiming::early);
  }
  if (name == "late") {
    return flag(pane.info.timing == PaneTiming::late);
  }
  if (name == "first") {
    return flag(pane.info.first);
  }
  if (name == "last" || name == "final") {
    return flag(pane.info.last);
  }
  if (name == "tombstone") {
    return flag(pane.deleted);
  }
  if (name == "drained") {
    return flag(pane.drained);
  }
  if (name == "order") {
    return want.text == std::to_string(pane.order);
  }
  if (name == "step") {
    return want.text == pane.step;
  }
  if (name == "key") {
    auto const is_part = [](Node const& part, std::string const& text) {
      return text == (part.kind == Node::Kind::null ? "null" : part.text);
    };
    return want.is_list() ? std::equal(want.items.begin(), want.items.end(), pane.key.begin(),
                                       pane.key.end(), is_part)
                          : pane.key.size() == 1 && is_part(want, pane.key[0]);
  }
  if (name == "values") {
    return same_values(want, column(pane, "values"));
  }
  if (name == "count" || name == "sum") {
    return equal_value(want, column(pane, name));
  }
  throw std::runtime_error("transcript: a pane has no attribute " + name);
}

}  // namespace

bool agrees(Node const& expected, Observed const& pane, std::int64_t unit_us) {
  if (pane.deleted && expected.find("tombstone") == nullptr) {
    return false;
  }
  Node const* const within = expected.find("within");
  auto const agrees_on_result = [&](auto const& field) {
    Node const* const bound = within == nullptr ? nullptr : within->find(field.first);
    return equal_value(field.second, column(pane, field.first),
                       bound == nullptr ? std::nullopt : std::optional(std::stod(bound->text)));
  };
  return std::all_of(expected.fields.begin(), expected.fields.end(), [&](auto const& attribute) {
    auto const& [name, want] = attribute;
    if (name == "within") {
      return true;
    }
    if (name == "result") {
      return std::all_of(want.fields.begin(), want.fields.end(), agrees_on_result);
    }
    return agrees_on(name, want, pane, unit_us);
  });
}

std::string describe(Observed const& pane) {
  std::string out = pane.step + " key=" + fmt::format("{}", fmt::join(pane.key, "|"));
  out += fmt::format(" [{}, {})us", pane.window.start.us, pane.window.end.us);
  if (pane.deleted) {
    return out + " tombstone";
  }
  out += fmt::format(" {} #{}/{} @{}us{}{}", timing_name(pane.info.timing), pane.info.index,
                     pane.info.nonspeculative_index, pane.timestamp.us,
                     pane.info.first ? " first" : "", pane.info.last ? " last" : "");
  for (auto const& [name, encoded] : pane.columns) {
    std::string_view bytes = encoded;
    out += " " + name + "=" + text_of(decode(bytes));
  }
  return out;
}

}  // namespace windrow::transcript
