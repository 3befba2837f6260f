"""A pipeline of section 16 on the oracle: batches in, panes of every step out (R72-R79)."""

from aggregates import Column
from cell import Row
from expressions import RowError, compile_expression
from latest_panes import LatestPanes
from source import Scripted, Settings, Tracker
from step import Step
from strategy import Strategy
from times import T_MAX, T_MIN, Refused, event_time


class Plan:
    """What a batch plan says beside the rows. `brings_rows`: whether there are any."""

    def __init__(self, clock=0, watermark=None, assigned=(), delivered=(), caught_up=(), ended=(), end=False, drain=False):
        self.clock, self.watermark, self.assigned, self.delivered = clock, watermark, assigned, delivered
        self.caught_up, self.ended, self.end, self.drain = caught_up, ended, end, drain
        self.brings_rows = False


class Node:
    """One transform. `rows(mode)` are its output rows of this batch; mode says how its consumer reads panes (R78)."""

    def __init__(self, name, inputs):
        self.name, self.inputs = name, inputs
        self.strategy = inputs[0].strategy if inputs else Strategy()
        self.below_step = any(node.below_step for node in inputs)
        self.memo = {}

    def begin(self, plan, processing_time):
        self.plan, self.processing_time = plan, processing_time
        self.memo = {}

    def rows(self, mode):
        if mode not in self.memo:
            self.memo[mode] = self.produce(mode)
        return self.memo[mode]

    def input_rows(self, mode):
        return [row for node in self.inputs for row in node.rows(mode)]

    @property
    def watermark(self):
        return min(node.watermark for node in self.inputs)


class Input(Node):
    def __init__(self, name, tracker):
        super().__init__(name, [])
        self.tracker = tracker
        self.batch = []

    def produce(self, mode):
        rows = [row for row in self.batch if self.tracker.accept(row.partition, row.stamp)]
        if isinstance(self.tracker, Scripted):
            self.tracker.stated = self.plan.watermark
        self.tracker.advance()
        if self.plan.end or self.plan.drain:
            self.tracker.watermark = T_MAX
        return rows

    @property
    def watermark(self):
        self.rows(None)
        return self.tracker.watermark

    def begin(self, plan, processing_time):
        super().begin(plan, processing_time)
        self.tracker.begin(processing_time, plan)

    def rows(self, mode):
        return super().rows(None)


class AssignTimestamps(Node):
    """Above any step it restarts tracking; below one it changes stamps only (R88)."""

    def __init__(self, name, inputs, config, bounded):
        super().__init__(name, inputs)
        self.stamp = compile_expression(config["timestamp"])
        self.unit = config.get("unit", "s")
        self.tracker = None if self.below_step else Tracker(Settings(config.get("watermark", {}), bounded))

    def produce(self, mode):
        rows = [row.with_stamp(event_time(self.stamp(row.fields), self.unit)) for row in self.input_rows(mode)]
        if self.tracker is None:
            return rows
        rows = [row for row in rows if self.tracker.accept(row.partition, row.stamp)]
        self.tracker.advance()
        if self.plan.end or self.plan.drain:
            self.tracker.watermark = T_MAX
        return rows

    def begin(self, plan, processing_time):
        super().begin(plan, processing_time)
        if self.tracker is not None:
            self.tracker.begin(processing_time, plan)

    @property
    def watermark(self):
        if self.tracker is None:
            return super().watermark
        self.rows(None)
        return self.tracker.watermark


class MapToFields(Node):
    def __init__(self, name, inputs, config):
        super().__init__(name, inputs)
        self.fields = {field: compile_expression(text) for field, text in config["fields"].items()}
        self.append, self.drop = config.get("append", False), config.get("drop", [])

    def produce(self, mode):
        result = []
        for row in self.input_rows(mode):
            kept = {field: value for field, value in row.fields.items() if field not in self.drop} if self.append else {}
            try:
                result.append(row.with_fields({**kept, **{field: part(row.fields) for field, part in self.fields.items()}}))
            except RowError:
                continue
        return result


class Filter(Node):
    def __init__(self, name, inputs, config):
        super().__init__(name, inputs)
        self.keep = compile_expression(config["keep"])

    def produce(self, mode):
        return [row for row in self.input_rows(mode) if self.kept(row)]

    def kept(self, row):
        try:
            return self.keep(row.fields)
        except RowError:
            return False


class ExtractWindowingInfo(Node):
    def __init__(self, name, inputs, config):
        super().__init__(name, inputs)
        fields = config.get("fields", ["timestamp", "window_start", "window_end"])
        self.asked = fields if isinstance(fields, dict) else {field: field for field in fields}

    def produce(self, mode):
        return [row.with_fields({**row.fields, **{field: WINDOWING[what](row) for field, what in self.asked.items()}}) for row in self.input_rows(mode)]


WINDOWING = {"timestamp": lambda row: row.stamp, "window_start": lambda row: row.window[0], "window_end": lambda row: row.window[1],
             "pane_info": lambda row: dict(row.pane or NO_PANE)}
# R31: of a row that no step produced.
NO_PANE = {"is_first": True, "is_last": True, "timing": "UNKNOWN", "index": 0, "nonspeculative_index": 0}


class Through(Node):
    """Flatten, Reshuffle, WindowInto, sinks: rows as they are."""

    def produce(self, mode):
        return self.input_rows(mode)


class Combine(Node):
    def __init__(self, name, inputs, config, windowing, allow_unsafe):
        super().__init__(name, inputs)
        strategy = self.strategy.with_windowing(windowing) if windowing else self.strategy
        strategy.check(allow_unsafe)
        self.mode = config.get("input_panes")
        self.check_input_panes(strategy)
        group_by = config["group_by"]
        self.group_by = [group_by] if isinstance(group_by, str) else group_by
        columns = [Column(column, spec) for column, spec in config["combine"].items()]
        self.step = Step(name, strategy, columns)
        self.latest = LatestPanes(name, strategy.merging and strategy.given)
        self.strategy = strategy.continued()
        self.several_panes = strategy.several_panes()
        self.accumulating = strategy.accumulating
        self.below_step = True

    def check_input_panes(self, strategy):
        producers = [step for node in self.inputs for step in producing_steps(node)]
        if any(step.several_panes for step in producers) and self.mode is None:
            raise Refused(f"E133 '{self.name}' reads panes of '{producers[0].name}': set input_panes to append or replace")
        if self.mode == "replace" and (strategy.merging and not strategy.given or not all(step.accumulating for step in producers)):
            raise Refused(f"E133 '{self.name}': replace needs an accumulating step above and no sessions")

    def run(self):
        rows = self.input_rows(self.mode)
        for row in rows:
            row.key = tuple(row.fields[field] for field in self.group_by)
        # R74: the consumer's W' is the producer's W_out after this very batch.
        self.panes = self.step.run(rows, self.processing_time, self.input_watermark(), self.plan.drain)
        self.withdrawals = self.latest.weighted_rows(self.panes, self.fields_of)
        return self.panes

    def input_watermark(self):
        return min(node.watermark for node in self.inputs)

    def fields_of(self, pane):
        return {**dict(zip(self.group_by, pane.key)), **pane.result}

    def produce(self, mode):
        if mode == "replace":
            return self.withdrawals
        return [Row(self.fields_of(pane), pane.stamp, pane.window, pane=pane.info) for pane in self.panes if not pane.tombstone]

    @property
    def watermark(self):
        return self.step.output_watermark


def producing_steps(node):
    if isinstance(node, Combine):
        return [node]
    return [step for above in node.inputs for step in producing_steps(above)]


ROW_TRANSFORMS = {"MapToFields": MapToFields, "Filter": Filter, "ExtractWindowingInfo": ExtractWindowingInfo}
PASS_THROUGH = {"Flatten", "Reshuffle", "WindowInto", "LogForTesting", "AssertEqual"}


class Oracle:
    def __init__(self, pipeline, source=None, allow_unsafe=False, bounded=False, options=None):
        self.frozen = bounded and ((options or {}).get("windrow") or {}).get("batch_clock", "frozen") == "frozen"
        self.bounded, self.allow_unsafe = bounded, allow_unsafe
        self.tracker = Scripted() if source is None else Tracker(Settings(source, bounded))
        self.nodes = {}
        for transform in in_input_order(pipeline):
            name = transform.get("name", transform["type"])
            self.nodes[name] = self.node(name, transform)
        self.steps = {name: node.step for name, node in self.nodes.items() if isinstance(node, Combine)}
        self.input = next(node for node in self.nodes.values() if isinstance(node, Input))

    def node(self, name, transform):
        kind, config = transform["type"], transform.get("config") or {}
        inputs = [self.nodes[above] for above in transform["input"]]
        windowing = transform.get("windowing") or config.get("windowing")
        if kind == "Create":
            node = Input(name, self.tracker)
        elif kind == "Combine":
            return Combine(name, inputs, config, windowing, self.allow_unsafe)
        elif kind == "AssignTimestamps":
            node = AssignTimestamps(name, inputs, config, self.bounded)
        elif kind in ROW_TRANSFORMS:
            node = ROW_TRANSFORMS[kind](name, inputs, config)
        elif kind in PASS_THROUGH:
            node = Through(name, inputs)
        else:
            raise Refused(f"E101 transform '{kind}' is not supported by Windrow")
        if windowing:
            node.strategy = node.strategy.with_windowing(windowing)
        return node

    def batch(self, rows, plan):
        """Rows are (partition, stamp, fields). The steps run in topological order (R72)."""
        processing_time = 0 if self.frozen else plan.clock
        plan.brings_rows = bool(rows)
        self.input.batch = [Row(fields, stamp, partition=partition) for partition, stamp, fields in rows]
        for node in self.nodes.values():
            node.begin(plan, processing_time)
        panes = []
        for node in self.nodes.values():
            if isinstance(node, Combine):
                panes += node.run()
        return panes

    @property
    def source_watermark(self):
        trackers = [node.tracker for node in self.nodes.values() if isinstance(node, AssignTimestamps) and node.tracker]
        return (trackers[-1] if trackers else self.tracker).watermark

    def counters(self, step=None):
        parts = [self.steps[step].counters] if step else [step.counters for step in self.steps.values()]
        if step is None:
            parts += [node.tracker.counters for node in self.nodes.values() if getattr(node, "tracker", None)]
        totals = {}
        for part in parts:
            for name, value in part.items():
                totals[name] = totals.get(name, 0) + value
        steps = [self.steps[step]] if step else self.steps.values()
        totals["windows_with_state"] = sum(len(each.cells) for each in steps)
        return totals


def in_input_order(pipeline):
    """The transforms, producers first, each with the names of its inputs."""
    transforms = [dict(transform) for transform in pipeline["transforms"]]
    if pipeline.get("type") == "chain":
        for i, transform in enumerate(transforms):
            transform["input"] = [transforms[i - 1].get("name", transforms[i - 1]["type"])] if i else []
    else:
        for transform in transforms:
            inputs = transform.get("input", [])
            transform["input"] = [inputs] if isinstance(inputs, str) else list(inputs.values()) if isinstance(inputs, dict) else inputs
    placed, result = set(), []
    while transforms:
        ready = next((t for t in transforms if placed.issuperset(t["input"])), None)
        if ready is None:
            raise Refused("E102 unknown input or cycle")
        transforms.remove(ready)
        placed.add(ready.get("name", ready["type"]))
        result.append(ready)
    return result
