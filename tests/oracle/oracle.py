"""A pipeline of section 16 on the oracle: batches in, panes of every step out (R72-R79)."""

import copy
from operator import attrgetter

from aggregates import Column
from cell import Row
from expressions import RowError, compile_expression
from latest_panes import LatestPanes
from source import Scripted, Settings, Tracker
from step import Step
from strategy import Strategy
from times import T_MAX, T_MIN, Refused, event_time, valid


FROM_SOURCES = "from sources"  # the mode of a consumer that looks only at rows no step produced


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


class Tracked(Node):
    """A source, or an AssignTimestamps above the first step: what it says is the same to all that read it."""

    tracker = None

    def __init__(self, name, inputs):
        super().__init__(name, inputs)
        self.counters = {"bad_timestamp": 0, "future_timestamp": 0}

    def begin(self, plan, processing_time):
        super().begin(plan, processing_time)
        if self.tracker is not None:
            self.tracker.begin(processing_time, plan)

    def rows(self, mode):
        return super().rows(mode if self.tracker is None else None)

    def accepted(self, rows):
        return [row.with_stamp(row.stamp, self.tracker) for row in rows if not self.is_fault(row)]

    def is_fault(self, row):
        fault = "bad_timestamp" if not valid(row.stamp) else "future_timestamp" if self.tracker and self.tracker.sets_aside(row.stamp) else None
        if fault and row.weight > 0:  # a withdrawn row was told when it came
            self.counters[fault] += 1
        return fault is not None

    def advance(self):
        """The rows of the batch have reached the steps (R81)."""
        if self.tracker is not None:
            self.tracker.advance()
            if self.plan.end or self.plan.drain:
                self.tracker.watermark = T_MAX

    @property
    def watermark(self):
        return super().watermark if self.tracker is None else self.tracker.watermark


class Input(Tracked):
    def __init__(self, name, tracker):
        super().__init__(name, [])
        self.tracker = tracker
        self.batch = []

    def begin(self, plan, processing_time):
        super().begin(plan, processing_time)
        self.tracker.stated = plan.watermark

    def produce(self, mode):
        return self.accepted(self.batch)


class AssignTimestamps(Tracked):
    """Above any step it restarts tracking; below one it changes stamps only (R88)."""

    def __init__(self, name, inputs, config, bounded):
        super().__init__(name, inputs)
        self.stamp = compile_expression(config["timestamp"])
        self.unit = config.get("unit", "s")
        self.tracker = None if self.below_step else Tracker(Settings(config.get("watermark", {}), bounded))

    def stamp_of(self, row):
        try:
            return event_time(self.stamp(row.fields), self.unit)
        except RowError:
            return None

    def produce(self, mode):
        return self.accepted([row.with_stamp(self.stamp_of(row)) for row in self.input_rows(mode)])


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


class Explode(Node):
    def __init__(self, name, inputs, config):
        super().__init__(name, inputs)
        self.field, = [config["fields"]] if isinstance(config["fields"], str) else config["fields"]

    def produce(self, mode):
        return [row.with_fields({**row.fields, self.field: member}) for row in self.input_rows(mode) for member in row.fields[self.field] or []]


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

    def observe(self):
        """Tells the trackers which rows of sources got here."""
        for row in self.input_rows(FROM_SOURCES):
            row.tracker.observe(row.partition, row.stamp)

    def run(self):
        # Each consumer keeps its own. Rows arrive by producer, those of one in their order there, and what became of one of these way by way.
        rows = sorted(map(copy.copy, self.input_rows(self.mode)), key=attrgetter("producer", "place"))
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
        if mode == FROM_SOURCES:
            return []
        if mode == "replace":
            rows = self.withdrawals
        else:
            rows = [Row(self.fields_of(pane), pane.stamp, pane.window, pane=pane.info) for pane in self.panes if not pane.tombstone]
        for place, row in enumerate(rows):
            row.producer, row.place = self.number, place
        return rows

    @property
    def watermark(self):
        return self.step.output_watermark


def last_trackers(node):
    """Of several AssignTimestamps above a step the last one counts (R88)."""
    return [tracker for above in node.inputs if not isinstance(above, Combine)
            for tracker in ([above.tracker] if isinstance(above, Tracked) and above.tracker else last_trackers(above))]


def producing_steps(node):
    if isinstance(node, Combine):
        return [node]
    return [step for above in node.inputs for step in producing_steps(above)]


ROW_TRANSFORMS = {"MapToFields": MapToFields, "Filter": Filter, "Explode": Explode, "ExtractWindowingInfo": ExtractWindowingInfo}
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
        for number, node in enumerate(self.nodes.values()):
            node.number = number
        self.steps = {name: node.step for name, node in self.nodes.items() if isinstance(node, Combine)}
        self.counting_trackers = list(dict.fromkeys(tracker for node in self.nodes.values() if isinstance(node, Combine) for tracker in last_trackers(node)))
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
        for place, row in enumerate(self.input.batch):
            row.place = place
        for node in self.nodes.values():
            node.begin(plan, processing_time)
        for node in self.nodes.values():
            if isinstance(node, Combine):
                node.observe()
        for node in self.nodes.values():
            if isinstance(node, Tracked):
                node.advance()
        panes = []
        for node in self.nodes.values():
            if isinstance(node, Combine):
                panes += node.run()
        return panes

    @property
    def counts_partitions(self):
        return not any(isinstance(tracker, Scripted) for tracker in self.counting_trackers)

    @property
    def source_watermark(self):
        return min(tracker.watermark for tracker in self.counting_trackers)

    def counters(self, step=None):
        parts = [self.steps[step].counters] if step else [step.counters for step in self.steps.values()]
        if step is None:
            parts += [node.counters for node in self.nodes.values() if isinstance(node, Tracked)]
            parts += [{"watermark_regressions": tracker.regressions} for tracker in self.counting_trackers]
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
