"""Turns the actions of a transcript into batches of rows and plans (README.md of tests/transcripts)."""

import math
import random

from oracle import Plan
from times import UNIT_US, exact, scale

BATCH_PARTS = {"input", "watermark", "clock", "deliver", "assign", "caught_up", "end"}


def batch_of(action):
    """The parts of an action that is one batch, or None of an action that is none."""
    (name, body), = action.items()
    if name == "batch":
        return body
    if name == "end" and not body:
        return {"end_all": True}
    if name == "drain":
        return {"drain": True}
    return {name: body} if name in BATCH_PARTS else None


class Script:
    """The clock of one run, and how its numbers read."""

    def __init__(self, unit, keys, fields):
        self.unit, self.keys, self.fields = unit, keys, fields
        self.clock = 0

    def number(self, value):
        return scale(value, self.unit)

    def row(self, partition, key, stamp, value, extra):
        fields = {"key": key, "value": value, **dict.fromkeys(self.fields), **extra}
        return partition, stamp, fields

    def rows(self, partition, spec):
        """The three forms of `input`."""
        if isinstance(spec, dict):
            return [self.stamped(partition, key, stamp) for key, stamps in spec.items() for stamp in stamps]
        result = []
        for each in spec:
            for key in self.keys:
                if isinstance(each, dict):
                    extra = {name: value for name, value in each.items() if name not in ("key", "ts", "value")}
                    value = each["value"] if "value" in each else self.default_value(each["ts"])
                    result.append(self.row(partition, each.get("key", key), self.number(each["ts"]), value, extra))
                    if "key" in each:
                        break
                else:
                    result.append(self.stamped(partition, key, each))
        return result

    def stamped(self, partition, key, stamp):
        return self.row(partition, key, self.number(stamp), self.default_value(stamp), {})

    def default_value(self, stamp):
        return math.floor(self.number(stamp) / UNIT_US[self.unit]) if isinstance(stamp, str) else math.floor(exact(stamp))

    def batch(self, parts):
        rows = self.rows("p0", parts.get("input", []))
        deliver = parts.get("deliver", {})
        for partition, spec in deliver.items():
            rows += self.rows(partition, spec)
        self.clock += self.number(parts.get("clock", 0))
        plan = Plan(self.clock, self.number(parts["watermark"]) if "watermark" in parts else None, parts.get("assign", ()),
                    list(deliver), parts.get("caught_up", ()), parts.get("end", ()), parts.get("end_all", False), parts.get("drain", False))
        if rows and not deliver:
            plan.delivered = ["p0"]
        return rows, plan


def split(batch, how, seed):
    """The same rows in other batches or another order (P1)."""
    rows, plan = batch
    if how == "reversed":
        return [(rows[::-1], plan)]
    if how == "shuffled":
        rows = list(rows)
        random.Random(seed).shuffle(rows)
        return [(rows, plan)]
    size = {"one_row": 1, "two_rows": 2}.get(how)
    if size is None or len(rows) <= size:
        return [batch]
    pieces = [rows[i:i + size] for i in range(0, len(rows), size)]
    first = Plan(plan.clock, None, plan.assigned, plan.delivered)
    return [(piece, first) for piece in pieces[:-1]] + [(pieces[-1], plan)]


def names_every_key(document):
    """Whether the rows of a document say their keys, so that it runs once."""
    specs = []
    for action in document["transcript"]:
        parts = batch_of(action) or {}
        specs += [parts.get("input", {}), *parts.get("deliver", {}).values()]
    return all(isinstance(spec, dict) or (spec and all(isinstance(row, dict) and "key" in row for row in spec)) for spec in specs)
