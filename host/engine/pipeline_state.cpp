// How a pipeline is put together, opened and told about, and its state between two batches.
#include <algorithm>

#include "host/engine/pipeline_impl.hpp"
#include "host/engine/stage_graph.hpp"
#include "host/model/portable.hpp"

namespace windrow {
namespace {

void add_feed(Step& step, Feed const& feed) {
  auto& feeds = step.feeds();
  if (std::find(feeds.begin(), feeds.end(), feed) == feeds.end()) {
    feeds.push_back(feed);
  }
}

}  // namespace

Pipeline::Impl::Impl(PipelineParts pipeline_parts)
    : parts(std::move(pipeline_parts)), units(parts.graph) {
  Graph const& graph = parts.graph;
  for (SourcePart& part : parts.sources) {
    sources.push_back(std::make_unique<SourceReader>(std::move(part), graph, parts.workers));
  }
  for (std::size_t t = 0; t < graph.transforms.size(); ++t) {
    if (std::holds_alternative<Combine>(graph.transforms[t].config)) {
      step_of.emplace(t, steps.size());
      steps.push_back(std::make_unique<Step>(graph, t, parts));
    } else if (std::holds_alternative<AssertEqual>(graph.transforms[t].config)) {
      Edge const edge = graph.transforms[t].inputs.at(0);
      checks.emplace(
          t, EqualityCheck(graph.transforms[t],
                           edge.errors ? error_schema() : graph.transforms[edge.transform].output));
    }
  }
  auto const has_part = [](auto const& list, std::size_t transform) {
    return std::any_of(list.begin(), list.end(),
                       [&](auto const& part) { return part.transform == transform; });
  };
  for (std::size_t t = 0; t < graph.transforms.size(); ++t) {
    WINDROW_ASSERT(!is_sink(graph.transforms[t].config) || has_part(parts.sinks, t),
                   "every sink of the graph has a part");
    WINDROW_ASSERT(!graph.transforms[t].inputs.empty() || has_part(parts.sources, t),
                   "every source of the graph has a part");
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (KeyedEnd const& end : sources[i]->stage().shape().keyed) {
      for (std::size_t const tracker : end.trackers) {
        add_feed(*steps[step_of.at(end.transform)], {true, i, tracker});
      }
    }
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (auto const* stage : {&steps[i]->panes_stage(), &steps[i]->replaced_stage()}) {
      if (!*stage) {
        continue;
      }
      for (KeyedEnd const& end : (*stage)->shape().keyed) {
        add_feed(*steps[step_of.at(end.transform)], {false, i, 0});
      }
    }
  }
  build_sinks();
  frozen = !graph.settings.batch_clock_wall &&
           std::all_of(sources.begin(), sources.end(),
                       [](auto const& source) { return source->bounded(); });
}

void Pipeline::Impl::build_sinks() {
  Graph const& graph = parts.graph;
  RetrySettings retry;
  retry.first = parts.retry_first;
  retry.give_up_after = graph.settings.give_up_after;
  std::sort(parts.sinks.begin(), parts.sinks.end(),
            [](SinkPart const& a, SinkPart const& b) { return a.transform < b.transform; });
  for (SinkPart& part : parts.sinks) {
    SinkLayout layout = sink_layout(graph, part.transform);
    SinkSchema schema = layout.schema;
    SinkEnd sink{.transform = part.transform, .rows = SinkRows(std::move(layout))};
    if (auto const producer = producer_of(graph, part.transform)) {
      sink.step = step_of.at(*producer);
    }
    Transform const& transform = graph.transforms[part.transform];
    sink.writer = std::make_unique<SinkWriter>(part.transform, transform.name, std::move(part.sink),
                                               std::move(schema), retry);
    if (transform.has_errors) {
      sink.errors.emplace(graph, part.transform);
    }
    sink_of.emplace(part.transform, sinks.size());
    sinks.push_back(std::move(sink));
  }
  for (std::size_t i = 0; i < sinks.size(); ++i) {
    if (!sinks[i].errors) {
      continue;
    }
    StageGraph const& shape = sinks[i].errors->stage().shape();
    for (std::size_t const node : shape.sinks) {
      SinkEnd& reader = sinks[sink_of.at(shape.nodes[node].transform)];
      reader.above.push_back(i);
      reader.refused_above.emplace(sink_layout(graph, reader.transform));
    }
  }
}

Pipeline::Pipeline(PipelineParts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
Pipeline::~Pipeline() = default;

void Pipeline::open() {
  for (Impl::SinkEnd& sink : impl_->sinks) {  // first: nothing is read that could not be written
    sink.writer->open();
  }
  for (auto const& source : impl_->sources) {
    source->open();
  }
}

void Pipeline::settle() { impl_->settle_sinks(); }

void Pipeline::committed() {
  for (auto const& source : impl_->sources) {
    source->source().committed();
  }
}

bool Pipeline::is_drained() const { return impl_->drained; }
std::int64_t Pipeline::batch_no() const { return impl_->batch_no; }
std::uint64_t Pipeline::bytes_read() const {
  std::uint64_t bytes = 0;
  for (auto const& source : impl_->sources) {
    bytes += source->bytes_read();
  }
  return bytes;
}
bool Pipeline::is_between_batches() const { return !impl_->in_batch; }

Progress Pipeline::progress() const {
  Progress out;
  out.batch_no = impl_->batch_no;
  out.pane_version = impl_->pane_version;
  out.processing_time = impl_->processing_time;
  out.state_bytes = impl_->state_bytes();
  out.refuses_new_keys = impl_->refuses_new_keys;
  for (auto const& source : impl_->sources) {
    out.sources.push_back(source->progress());
    if (impl_->drained) {  // R71 set it
      out.sources.back().watermark = T_MAX;
    }
  }
  for (auto const& step : impl_->steps) {
    out.steps.push_back(step->progress());
  }
  for (Impl::SinkEnd const& sink : impl_->sinks) {
    out.sinks.push_back(sink.writer->progress());
    out.sinks.back().set_aside = sink.set_aside;
  }
  return out;
}

Summary Pipeline::summary() const {
  Summary out;
  out.progress = progress();
  out.broken_laws = broken_laws(out.progress);
  for (auto const& [transform, check] : impl_->checks) {
    if (std::string difference = check.difference(); !difference.empty()) {
      out.failures.push_back(std::move(difference));
    }
  }
  return out;
}

}  // namespace windrow
