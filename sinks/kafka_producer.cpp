// Errors: connectors.md 4.1; what became of a row is known from its delivery report alone.
#include "sinks/kafka_producer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "host/engine/crash_point.hpp"
#include "host/engine/snapshot.hpp"
#include "host/model/portable.hpp"
#include "sinks/kafka_settings.hpp"

namespace windrow::kafka {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::milliseconds unknown_for{5000};  // a topic in the making is unknown so long
constexpr int answer_ms = 1000, poll_ms = 100;

}  // namespace

Producer::Producer(ProducerSettings settings) : settings_(std::move(settings)) {
  Owner<rd_kafka_conf_t> conf =
      producer_conf(settings_.bootstrap_servers, settings_.config, settings_.transactional_id);
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_log_cb(conf.get(), [](rd_kafka_t const*, int, char const*, char const*) {});
  rd_kafka_conf_set_dr_msg_cb(conf.get(),
                              [](rd_kafka_t*, rd_kafka_message_t const* message, void* self) {
                                static_cast<Producer*>(self)->delivered(*message);
                              });
  rd_kafka_conf_set_error_cb(
      conf.get(), [](rd_kafka_t*, int error, char const* reason, void* opaque) {
        auto& self = *static_cast<Producer*>(opaque);
        self.trouble_ = static_cast<rd_kafka_resp_err_t>(error);
        self.trouble_text_ = fmt::format("{}: {}", rd_kafka_err2str(self.trouble_), reason);
      });
  std::array<char, 512> text{};
  handle_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), text.data(), text.size()));
  if (!handle_) {
    throw EnvironmentError(
        fmt::format("kafka sink: the client's settings do not work: {}", text.data()), 78);
  }
  static_cast<void>(conf.release());  // the handle owns it now
}

// What the brokers say of the topic now.
rd_kafka_resp_err_t Producer::topic_error() {
  Owner<rd_kafka_topic_t> const topic(
      rd_kafka_topic_new(handle_.get(), settings_.topic.c_str(), nullptr));
  rd_kafka_metadata_t const* raw = nullptr;
  rd_kafka_resp_err_t const error =
      rd_kafka_metadata(handle_.get(), 0, topic.get(), &raw, answer_ms);
  Owner<rd_kafka_metadata_t const> const metadata(raw);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return error;
  }
  return metadata->topic_cnt == 1 ? metadata->topics[0].err
                                  : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
}

void Producer::find_topic() {
  auto const begin = steady_clock::now();
  while (true) {
    rd_kafka_resp_err_t const error = topic_error();
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      return;
    }
    rd_kafka_poll(handle_.get(), poll_ms);
    bool const unknown = error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    bool const refused = outcome_of(error) == Outcome::pause && !unknown;
    if (refused || steady_clock::now() - begin >
                       (unknown ? std::min(unknown_for, settings_.open_for) : settings_.open_for)) {
      throw EnvironmentError(
          fmt::format("kafka sink: a broker must know the topic: topic={} servers={}: {}",
                      settings_.topic, settings_.bootstrap_servers, why(rd_kafka_err2str(error))),
          69);
    }
  }
}

void Producer::start(std::size_t rows) {
  WINDROW_ASSERT(rows < UINT32_MAX, "a row's number has 32 bits");
  reports_.assign(rows, {});
  outstanding_ = 0;
  ++round_;
  if (std::exchange(ask_again_, false)) {
    static_cast<void>(topic_error());
  }
}

void Producer::send(std::size_t row, std::optional<std::string_view> key, std::string_view value,
                    std::string_view pane_version) {
  auto const tag = (std::uint64_t{round_} << 32U) | row;
  char const* const key_data = key ? key->data() : nullptr;
  std::size_t const key_size = key ? key->size() : 0;
  while (true) {
    rd_kafka_resp_err_t const error =
        rd_kafka_producev(handle_.get(), RD_KAFKA_V_TOPIC(settings_.topic.c_str()),
                          RD_KAFKA_V_KEY(key_data, key_size),
                          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                          RD_KAFKA_V_HEADER("pane_version", pane_version.data(),
                                            static_cast<ssize_t>(pane_version.size())),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(tag)), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && rd_kafka_outq_len(handle_.get()) > 0) {
      rd_kafka_poll(handle_.get(), poll_ms);
      continue;
    }
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {  // and nothing is in it
      reports_[row] = {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, true};
    } else if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++outstanding_;
      if (row == 0) {
        WINDROW_CRASH_POINT("sink.partial");
      }
    } else {
      ask_again_ = ask_again_ || outcome_of(error) == Outcome::pause;
      reports_[row] = {error, true};
    }
    return;
  }
}

void Producer::delivered(rd_kafka_message_t const& message) {
  auto const tag = reinterpret_cast<std::uint64_t>(message._private);
  if (tag >> 32U != round_) {
    return;
  }
  --outstanding_;
  // The client remembers what was said of the topic for minutes, unless it is asked again.
  ask_again_ = ask_again_ || outcome_of(message.err) == Outcome::pause;
  reports_[tag & UINT32_MAX] = {message.err, false};
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    trouble_ = message.err;
    trouble_text_.clear();
  }
}

void Producer::wait() {
  while (outstanding_ > 0) {  // each is delivered or fails within message.timeout.ms
    static_cast<void>(rd_kafka_flush(handle_.get(), poll_ms));
  }
  WINDROW_CRASH_POINT("sink.sent");
}

Verdict Producer::verdict(std::size_t row) const {
  auto const [error, refused] = reports_[row];
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {};
  }
  Outcome outcome = outcome_of(error);
  if (outcome == Outcome::split && refused) {
    outcome = Outcome::dead_letter;
  }
  return {outcome, why(rd_kafka_err2str(error)), false};
}

Outcome Producer::outcome_of(rd_kafka_resp_err_t error) const {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return Outcome::ok;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
      return Outcome::split;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return Outcome::pause;
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__FENCED:
      return Outcome::fatal;
    default:
      if (rd_kafka_fatal_error(handle_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return Outcome::fatal;
      }
      // What the client could not do in time may be for the brokers' last word.
      return error == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT && trouble_ != error &&
                     outcome_of(trouble_) == Outcome::pause
                 ? Outcome::pause
                 : Outcome::retry;
  }
}

std::string Producer::why(char const* text) const {
  std::array<char, 512> fatal{};
  if (rd_kafka_fatal_error(handle_.get(), fatal.data(), fatal.size()) !=
      RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fatal.data();
  }
  return trouble_text_.empty() ? text : fmt::format("{}; {}", text, trouble_text_);
}

Verdict Producer::verdict_of(Owner<rd_kafka_error_t> error) const {
  if (!error) {
    return {};
  }
  rd_kafka_resp_err_t const code = rd_kafka_error_code(error.get());
  Verdict out{outcome_of(code), why(rd_kafka_error_string(error.get())), true};
  if (rd_kafka_error_is_fatal(error.get()) != 0) {
    out.outcome = Outcome::fatal;
  } else if (rd_kafka_error_is_retriable(error.get()) != 0) {
    out.aborts = rd_kafka_error_txn_requires_abort(error.get()) != 0;
  }
  if (out.outcome != Outcome::fatal && out.outcome != Outcome::pause) {
    out.outcome = Outcome::retry;
  }
  return out;
}

}  // namespace windrow::kafka
