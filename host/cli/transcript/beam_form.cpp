// Beam's own spelling of a transcript's windowing, as its trigger_transcripts.yaml has it.
#include <stdexcept>

#include "host/cli/transcript/script.hpp"

namespace windrow::transcript {

namespace {

// A call of Beam's Python: `Name(argument, name=argument, ..)`, a bare name or a number.
struct Call {
  std::string name;
  std::string keyword{};  // of an argument, its name; empty if positional
  std::vector<Call> arguments{};

  [[nodiscard]] Call const* argument(std::string_view key, std::size_t position) const {
    std::size_t at = 0;
    for (Call const& value : arguments) {
      if (value.keyword == key || (value.keyword.empty() && at == position)) {
        return &value;
      }
      ++at;
    }
    return nullptr;
  }
};

class CallParser {
 public:
  explicit CallParser(std::string_view text) : left_(text) {}
  Call call() {
    Call out;
    out.name = word();
    if (!take('(')) {
      return out;
    }
    while (!take(')')) {
      std::string name;
      std::string_view const before = left_;
      std::string const first = word();
      if (take('=')) {
        name = first;
      } else {
        left_ = before;
      }
      out.arguments.push_back(call());
      out.arguments.back().keyword = name;
      take(',');
      if (left_.empty()) {
        throw std::runtime_error("transcript: unclosed call");
      }
    }
    return out;
  }

 private:
  void skip_space() {
    while (!left_.empty() && (left_[0] == ' ' || left_[0] == '\n')) {
      left_.remove_prefix(1);
    }
  }
  bool take(char c) {
    skip_space();
    if (left_.empty() || left_[0] != c) {
      return false;
    }
    left_.remove_prefix(1);
    return true;
  }
  std::string word() {
    skip_space();
    std::size_t const end = left_.find_first_of("(),= \n");
    std::string out(left_.substr(0, end));
    left_.remove_prefix(out.size());
    return out;
  }
  std::string_view left_;
};

Node trigger_of(Call const& call) {
  auto const all = [&] {
    Node children = Node::list();
    for (Call const& argument : call.arguments) {
      children.items.push_back(trigger_of(argument));
    }
    return children;
  };
  auto const number = [&](std::string_view name) {
    Call const* argument = call.argument(name, 0);
    return Node::plain(argument == nullptr ? "0" : argument->name);
  };
  if (call.name == "Default" || call.name == "DefaultTrigger") {
    return Node::plain("default");
  }
  if (call.name == "Always") {
    return Node::plain("always");
  }
  if (call.name == "_Never" || call.name == "Never") {
    return Node::plain("never");
  }
  if (call.name == "AfterCount") {
    return Node::map({{"element_count", number("count")}});
  }
  if (call.name == "AfterProcessingTime") {
    return Node::map({{"after_processing_time", number("delay")}});
  }
  if (call.name == "AfterWatermark") {
    Node parts = Node::map();
    if (Call const* early = call.argument("early", 0)) {
      parts["early_firings"] = trigger_of(*early);
    }
    if (Call const* late = call.argument("late", 1)) {
      parts["late_firings"] = trigger_of(*late);
    }
    return parts.fields.empty() ? Node::plain("after_end_of_window")
                                : Node::map({{"after_end_of_window", parts}});
  }
  if (call.name == "Repeatedly") {
    return Node::map({{"repeat", all().items.at(0)}});
  }
  if (call.name == "AfterAny" || call.name == "AfterFirst") {
    return Node::map({{"after_any", all()}});
  }
  if (call.name == "AfterAll") {
    return Node::map({{"after_all", all()}});
  }
  if (call.name == "AfterEach") {
    return Node::map({{"after_each", all()}});
  }
  if (call.name == "OrFinally") {
    Node const parts = all();
    return Node::map(
        {{"or_finally", Node::map({{"main", parts.items.at(0)}, {"finally", parts.items.at(1)}})}});
  }
  throw std::runtime_error("transcript: unknown trigger " + call.name);
}

void set_windows(Call const& call, Node& windowing) {
  auto const number = [&](std::string_view name, std::size_t position) {
    Call const* argument = call.argument(name, position);
    if (argument == nullptr) {
      throw std::runtime_error("transcript: windows need " + std::string(name));
    }
    return Node::plain(argument->name);
  };
  if (call.name == "GlobalWindows") {
    windowing["type"] = Node::plain("global");
  } else if (call.name == "FixedWindows" || call.name == "CustomTimestampingFixedWindowsWindowFn") {
    windowing["type"] = Node::plain("fixed");
    windowing["size"] = number("size", 0);
  } else if (call.name == "SlidingWindows") {
    windowing["type"] = Node::plain("sliding");
    windowing["size"] = number("size", 0);
    windowing["period"] = number("period", 1);
  } else if (call.name == "Sessions") {
    windowing["type"] = Node::plain("sessions");
    windowing["gap"] = number("gap_size", 0);
  } else {
    throw std::runtime_error("transcript: unknown windows " + call.name);
  }
}

}  // namespace

Node beam_windowing(Node const& document) {
  auto const text = [&](std::string_view name, std::string fallback) {
    Node const* node = document.find(name);
    return node == nullptr ? fallback : node->text;
  };
  Node out = Node::map();
  set_windows(
      CallParser(text(document.find("windowfn") ? "windowfn" : "window_fn", "GlobalWindows"))
          .call(),
      out);
  out["trigger"] = trigger_of(CallParser(text("trigger_fn", "Default")).call());
  std::string const lateness = text("allowed_lateness", "0");
  out["allowed_lateness"] = Node::plain(lateness);
  std::string mode = text("accumulation_mode", "ACCUMULATING");
  for (char& c : mode) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  out["accumulation_mode"] = Node::plain(mode);
  std::string const stamp = text("timestamp_combiner", "OUTPUT_AT_EOW");
  out["timestamp_combiner"] =
      Node::plain(stamp == "OUTPUT_AT_EARLIEST" ? "earliest_in_pane"
                  : stamp == "OUTPUT_AT_LATEST" ? "latest_in_pane"
                  : stamp == "OUTPUT_AT_EOW" || stamp == "OUTPUT_AT_END_OF_WINDOW"
                      ? "end_of_window"
                      : stamp);  // refused by the checker
  for (std::string_view name : {"closing_behavior", "on_time_behavior"}) {
    if (Node const* node = document.find(name)) {
      out[name] = *node;
    }
  }
  return out;
}

}  // namespace windrow::transcript
