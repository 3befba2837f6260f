#!/usr/bin/python3
"""Writes random transcripts with the oracle's expectations, one JSON document a line.

python3 tests/oracle/fuzz.py --seed S --count N --out FILE
python3 tests/oracle/fuzz.py --shrink FILE --document NAME --command 'harness {}'
"""

import argparse
import json
import random
import sys

import random_columns
import random_pipeline
import random_strategy
from oracle import Plan
from script import Script
from shrink import shrink_file
from times import T_END, T_MAX, T_MIN, Refused
from transcript import build
from windows import Fixed, Sessions, Sliding, expiry


class Writer:
    """One document: random actions, each run on the oracle to learn what to expect."""

    def __init__(self, rng, document, size):
        self.rng, self.document, self.size = rng, document, size
        self.oracle = build(document)
        self.partitioned = "source" in document
        self.wild = rng.random() < 0.25
        self.first = next(iter(self.oracle.steps.values()))
        self.script = Script("us", [None], document.get("fields", {}))
        self.keys = [f"k{i}" for i in range(rng.choice([1, 1, 2, 3, 8]))]
        self.base = rng.choice([0, 0, 0, -7 * size, -(10 ** 12), 1_700_000_000_000_000 + rng.randrange(size)])
        if rng.random() < 0.02:
            self.base = rng.choice([T_MIN + 3 * size, T_END - 6 * size])
        self.counters, self.output = None, {}
        self.transcript = document["transcript"] = []

    def now(self):
        """Where in event time the script is."""
        return self.base if self.first.watermark == T_MIN else min(self.first.watermark, T_END)

    def edge(self, around):
        """A time on an edge of a window near `around`."""
        window_fn = self.first.strategy.window_fn
        if isinstance(window_fn, (Fixed, Sliding, Sessions)):
            windows = window_fn.assign(clamp(around)) or [(around, around + self.size)]
        else:
            windows = [(around, around + self.size)]
        live = [cell.window for cell in self.first.cells.values()]
        window = self.rng.choice(live) if live and self.rng.random() < 0.6 else self.rng.choice(windows)
        closes = expiry(window, self.first.strategy.lateness)
        return self.rng.choice([window[0] - 1, window[0], window[1] - 1, window[1], closes - 1, closes])

    def stamp(self):
        lateness = min(self.first.strategy.lateness, 3 * self.size)
        around = self.now() + self.rng.randint(-lateness - 2 * self.size, 3 * self.size)
        stamp = self.edge(around) if self.rng.random() < 0.5 else around
        if self.rng.random() < 0.3:
            # Near a live window's start, so that sessions meet.
            live = list(self.first.cells.values())
            if live:
                stamp = self.rng.choice(live).window[0] + self.rng.randint(-self.size, self.size)
        if abs(stamp - self.now()) > 10 ** 10 and self.base > T_MIN // 2 and self.rng.random() < 0.95:
            stamp = around
        return stamp if self.rng.random() < 0.005 else clamp(stamp)

    def row(self):
        stamp = self.stamp()
        row = {"key": self.rng.choice(self.keys), "ts": stamp, "value": self.rng.randint(-9, 30)}
        if "fields" in self.document:
            row.update(random_columns.random_fields(self.rng, self.wild))
        if "at" in self.document.get("fields", {}):
            row.update(ts=0, at=stamp)
        return row

    def rows(self):
        return [self.row() for _ in range(self.rng.choice([1, 1, 1, 2, 2, 3, 4, 7]))]

    def watermark(self):
        """Jumps over no, one or many ends."""
        now, kind = self.now(), self.rng.random()
        if kind < 0.5:
            target = self.edge(now + self.rng.randint(0, self.size))
        elif kind < 0.9:
            target = now + self.rng.randint(0, self.size)
        else:
            target = now + self.rng.randint(0, 10 * self.size)
        if target - now > 10 ** 10:
            target = now + self.rng.randint(0, 2 * self.size)
        return max(T_MIN, min(target, T_MAX))

    def clock(self):
        return self.rng.choice([0, 1, 1, 5, 9, 10, 11, 20, 60, -3])

    def parts(self):
        parts = {}
        if self.rng.random() < 0.65:
            if self.partitioned:
                parts["deliver"] = {p: self.rows() for p in self.rng.sample(["p0", "p1", "p2"], self.rng.randint(1, 2))}
            else:
                parts["input"] = self.rows()
        if self.partitioned:
            for name in ("assign", "caught_up"):
                if self.rng.random() < 0.2:
                    parts[name] = self.rng.sample(["p0", "p1", "p2", "p3"], self.rng.randint(1, 3))
        elif self.rng.random() < 0.4:
            parts["watermark"] = self.watermark()
        if self.rng.random() < 0.35:
            parts["clock"] = self.clock()
        return parts or {"clock": self.clock()}

    def act(self, action, rows, plan):
        self.transcript.append(action)
        panes = self.oracle.batch(rows, plan)
        self.transcript.append({"expect": self.expected(panes)})
        if self.oracle.counts_partitions:
            self.transcript.append({"expect_watermark": self.oracle.source_watermark})
        output = {name: step.output_watermark for name, step in self.oracle.steps.items()}
        if output != self.output:
            self.output = output
            self.transcript.append({"expect_output_watermark": output})
        counters = self.oracle.counters()
        if counters != self.counters:
            self.counters = counters
            self.transcript.append({"expect_counters": counters})

    def expected(self, panes):
        result, order = [], {}
        for pane in panes:
            position = order[pane.step] = order.get(pane.step, -1) + 1
            expected = {"step": pane.step, "interval": list(pane.window), "order": position}
            if pane.key:
                expected["key"] = pane.key[0] if len(pane.key) == 1 else list(pane.key)
            result.append(expected)
            if pane.tombstone:
                expected["tombstone"] = True
                continue
            expected.update(timing=pane.timing, index=pane.index, nonspeculative_index=pane.nonspeculative_index, first=pane.first, final=pane.last,
                            timestamp=pane.stamp, drained=pane.drained)
            expected["result"] = pane.result
            bounds = {column: bound for column, bound in pane.within.items() if has_float(pane.result[column])}
            if bounds:
                expected["within"] = bounds
        return result

    def write(self):
        for _ in range(round(60 ** (self.rng.random() ** 0.7))):
            parts = self.parts()
            rows, plan = self.script.batch(parts)
            self.act({"batch": parts}, rows, plan)
        ending = self.rng.random()
        if ending < 0.6:
            self.act({"end": {}}, [], Plan(self.script.clock, end=True))
        elif ending < 0.75:
            self.act({"drain": {}}, [], Plan(self.script.clock, drain=True))
        return self.document


def has_float(value):
    if isinstance(value, (list, dict)):
        return any(map(has_float, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float)


def clamp(stamp):
    return max(T_MIN, min(stamp, T_END - 1))


def source_settings(rng, size):
    return {"max_out_of_orderness": f"{rng.randint(0, size)}us", "idle_timeout": rng.choice(["none", f"{rng.randint(1, 30)}us"]),
            "all_idle": rng.choice(["hold", "clock"]), "max_future_skew": rng.choice(["none", f"{rng.randint(0, 3 * size)}us"]),
            "on_future": rng.choice(["dead_letter", "clamp"])}


def strategy_of(rng, size):
    while True:
        spec = random_strategy.windowing(rng, size)
        if random_strategy.accepted(spec):
            return spec


def assign_timestamps(rng, size, pipeline):
    """The time of a row is its field `at`, with settings M, before everything else (R88)."""
    stamped = {"type": "AssignTimestamps", "name": "Stamped", "input": "Input", "config": {"timestamp": "at", "unit": "us", "watermark": source_settings(rng, size)}}
    for transform in pipeline["transforms"]:
        if transform.get("input") == "Input":
            transform["input"] = "Stamped"
    pipeline["transforms"].insert(1, stamped)


def unscripted(rng, size):
    """What a document runs, without a script."""
    result = {"unit": "us"}
    kind = rng.random()
    if kind < 0.4:
        result["fields"], result["pipeline"] = dict(random_columns.FIELDS), random_pipeline.pipeline(rng, size)
        if rng.random() < 0.1:
            result["fields"]["at"] = "integer"
            assign_timestamps(rng, size, result["pipeline"])
        elif rng.random() < 0.1:
            result["source"] = source_settings(rng, size)
    else:
        result["windowing"] = strategy_of(rng, size)
        if kind < 0.65:
            result["fields"] = random_columns.FIELDS
            result["combine"], _ = random_columns.combine(rng, random_columns.input_schema())
        if kind < 0.45 or kind > 0.92:
            result["source"] = source_settings(rng, size)
        elif rng.random() < 0.05:
            result["bounded"] = True
    try:
        build(result)
    except Refused:
        result["unsafe"] = True
    return result


def document(seed, number):
    rng = random.Random(f"{seed}/{number}")
    size = rng.choice([10, 10, 7, 3, 13, 60, 100, 100_002, 1])
    return Writer(rng, {"name": f"fuzz_{seed}_{number}", **unscripted(rng, size)}, size).write()


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--out", default="-")
    parser.add_argument("--shrink", metavar="FILE", help="minimise a document of this file while --command fails on it")
    parser.add_argument("--document", help="its name; the first one by default")
    parser.add_argument("--command", help="shell command; {} is the path of a file with the one document; fails = exit status not 0")
    options = parser.parse_args(arguments)
    out = sys.stdout if options.out == "-" else open(options.out, "w")
    with out:
        if options.shrink:
            json.dump(shrink_file(options.shrink, options.document, options.command), out)
            out.write("\n")
            return
        for number in range(options.count):
            out.write(json.dumps(document(options.seed, number), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
