// From the transforms as written to the Graph: types, windowing and identity of every output.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/plan/context.hpp"
#include "host/plan/expression_reader.hpp"
#include "host/plan/keys.hpp"
#include "host/plan/structure.hpp"
#include "host/plan/windowing_reader.hpp"

namespace windrow {

// What the checker knows of the rows of one output.
//   ok         false: its fields are not known, because something above was refused
//   edges      where the rows come from in the Graph
//   steps      Combines whose panes they are or come from;  stepless: some come from none
//   identity   names of what tells the rows of one window apart: the step's group fields, later
//   what
//              was exploded;  identifies: per column, which of these it holds
//   trackers   the last AssignTimestamps above, or the source, per way (R88); empty below a step
//   refuser    a sink that refused some of these rows: they come when it answers, not with a batch
//   of_batch   the place of a field that another batch gives another value for the same pane
//   numbers    per column a typical value (W218)
struct Flow {
  bool ok = true;
  std::vector<Edge> edges;
  Schema schema;
  WindowState windows;
  bool bounded = true, stepless = true;
  std::set<std::size_t> steps, trackers;
  std::vector<std::string> identity;
  std::vector<std::optional<std::size_t>> identifies;
  WrittenTransform const* refuser = nullptr;
  YamlNode const* of_batch = nullptr;
  std::map<std::size_t, double> numbers;

  // The one step that all rows come from.
  [[nodiscard]] std::optional<std::size_t> step() const {
    return !stepless && steps.size() == 1 ? std::optional{*steps.begin()} : std::nullopt;
  }
  void forget_identity() { identifies.assign(schema.fields.size(), std::nullopt); }
};

class GraphBuilder {
 public:
  GraphBuilder(Context& context, std::vector<WrittenTransform> const& written)
      : context_(context), report_(context.report), written_(written) {}
  // A graph of what could be understood; it means something only without errors.
  [[nodiscard]] std::vector<Transform> build();

 private:
  // What the functions of one transform share.
  struct Work {
    WrittenTransform const& written;
    Keys const& keys;
    Flow in;                                   // merged inputs, under this transform's windowing
    Transform out;                             // to be filled: config, output
    Flow flow;                                 // of the output; starts as `in`
    std::string place;                         // "MapToFields 'Clean'"
    [[nodiscard]] YamlNode const& at() const;  // its name, else its type
  };

  void build_one(std::size_t index);
  void compare_with_beam(std::size_t index);
  [[nodiscard]] Flow merged(WrittenTransform const& written);
  void check_same(WrittenTransform const& written, Flow const& first, Flow const& other,
                  WrittenEdge const& first_edge, WrittenEdge const& edge);
  void read_errors(Work& work);
  void track(Flow const& flow);
  [[nodiscard]] Flow error_flow(std::size_t index) const;

  // Each sets work.out.config and work.flow; false: refused, its output is not known.
  bool read_from_kafka(Work& work);
  bool read_from_json(Work& work);
  bool create(Work& work);
  bool generate(Work& work);
  void source_flow(Work& work, bool bounded);
  [[nodiscard]] std::optional<EventTimeField> event_time(Work& work);
  [[nodiscard]] std::optional<WatermarkSettings> watermark(Work& work, bool bounded);
  void kafka_start(Work& work, ReadFromKafka& config);
  bool kafka_settings(Work& work, char const* key, std::optional<KafkaSettings> const& known,
                      std::map<std::string, std::string>& settings,
                      std::map<std::string, Secret>& secrets);
  [[nodiscard]] bool check_setting(YamlEntry const& entry,
                                   std::optional<KafkaSettings> const& known,
                                   std::string const& place);
  void check_buffers(Work& work, ReadFromKafka const& config);

  bool assign_timestamps(Work& work);
  bool map_to_fields(Work& work);
  bool filter(Work& work);
  bool explode(Work& work);
  bool extract_windowing_info(Work& work);
  [[nodiscard]] std::optional<Expression> expression(Work& work, YamlNode const& node,
                                                     bool comparison = true);
  void check_unit(Work& work, YamlNode const& at, FieldType const& type, TimeUnit unit, bool given);

  bool combine(Work& work);
  void combine_windowing(Work& work, Combine& config);
  void check_windowing(Work& work, Windowing const& windowing);
  void check_input_panes(Work& work, Combine& config);
  void check_refused(Work& work);
  bool add_aggregate(Work& work, Combine& config, YamlEntry const& entry, Schema& out);
  struct Aggregate {
    YamlNode const* fn = nullptr;  // where its name stands
    std::string name;
    YamlNode const* config = nullptr;
    YamlNode const* value = nullptr;   // expression, or a map of them; null: none
    std::optional<std::size_t> field;  // value as a field
    bool rows = false;                 // count(*), {out: count}
  };
  [[nodiscard]] std::optional<Aggregate> read_aggregate(Work& work, YamlEntry const& entry);
  [[nodiscard]] std::optional<Aggregate> read_sql(Work& work, YamlEntry const& entry);
  [[nodiscard]] std::optional<Expression> aggregate_value(Work& work, Aggregate const& aggregate,
                                                          YamlEntry const& entry);

  bool log_for_testing(Work& work);
  bool assert_equal(Work& work);
  bool write_to_sqlite(Work& work);
  bool write_to_json(Work& work);
  bool write_to_postgres(Work& work);
  void check_postgres_url(YamlNode const& node, std::string const& url);
  bool write_to_kafka(Work& work);
  // `transactional`: a repeated batch is known to the system by its transactions.
  [[nodiscard]] Upsert upsert(Work& work, bool transactional = false);
  void check_key(Work& work, Upsert& config, YamlNode const* key_node);
  void check_spaces();
  void check_delivery(Work& work, Upsert const& config, bool transactional);
  [[nodiscard]] bool reads_stdin(Work const& work) const;
  void refuse_regrouped(Work& work, std::string_view what);

  [[nodiscard]] std::string label_of_step(std::size_t step) const;
  [[nodiscard]] Windowing const& windowing_of(std::size_t step) const;

  Context& context_;
  Report& report_;
  std::vector<WrittenTransform> const& written_;
  std::vector<Transform> graph_;
  std::vector<Flow> flows_;               // per written transform, of its main output
  std::vector<std::size_t> graph_index_;  // per written transform; SIZE_MAX: dissolved
  std::vector<YamlNode const*> at_;       // per transform of the graph
  std::set<std::size_t> tracked_;
  std::uint64_t fetch_buffers_ = 0;  // bytes, of all Kafka sources so far (W216)
  struct Space {                     // a table, directory or topic that a sink writes
    std::string system, place, prefix, label;
    YamlNode const* at;
  };
  std::vector<Space> spaces_;
};

}  // namespace windrow
