"""Random strategies, aggregates and pipelines for the fuzzer (18.2)."""

from strategy import Strategy
from times import Refused

LEAVES = ["default", "after_end_of_window", "after_synchronized_processing_time", "never", "always", "count", "count", "count", "time", "time"]
COMPOSITES = ["parts", "parts", "parts", "after_all", "after_any", "after_each", "or_finally", "repeat", "repeat"]


def us(value):
    return f"{value}us"


def processing_time(rng):
    if rng.random() < 0.6:
        return {"after_processing_time": us(rng.randint(0, 20))}
    transforms = []
    for _ in range(rng.randint(1, 2)):
        if rng.random() < 0.5:
            transforms.append({"delay": us(rng.randint(0, 20))})
        else:
            transforms.append({"align_to": {"period": us(rng.randint(1, 25)), "offset": us(rng.randint(0, 10))}})
    return {"after_processing_time": {"timestamp_transforms": transforms}}


def leaf(rng):
    kind = rng.choice(LEAVES)
    if kind == "count":
        return {"element_count": rng.randint(1, 5)}
    if kind == "time":
        return processing_time(rng)
    return {kind: {}} if kind == "after_synchronized_processing_time" else kind


def trigger(rng, depth):
    """One of the 12, at most `depth` levels."""
    if depth <= 1 or rng.random() < 0.2:
        return leaf(rng)
    if rng.random() < 0.06:
        # Ready without being asked: only deadlines, rows and armed ends may ask (X48).
        return {"or_finally": {"main": "always", "finally": {"after_all": [processing_time(rng), leaf(rng)]}}}
    kind = rng.choice(COMPOSITES)
    if kind == "parts":
        parts = {part: trigger(rng, depth - 1) for part in ("early_firings", "late_firings") if rng.random() < 0.75}
        return {"after_end_of_window": parts} if parts else "after_end_of_window"
    if kind == "repeat":
        return {"repeat": trigger(rng, depth - 1)}
    if kind == "or_finally":
        return {"or_finally": {"main": trigger(rng, depth - 1), "finally": trigger(rng, depth - 1)}}
    return {kind: [trigger(rng, depth - 1) for _ in range(2 if rng.random() < 0.7 else 3)]}


def window_type(rng, size):
    kind = rng.choice(["fixed", "sliding", "sessions", "sessions", "global"])
    if kind == "fixed":
        return {"type": kind, "size": us(size), "offset": us(rng.randrange(size))}
    if kind == "sliding":
        period = rng.choice([max(1, size // 2), max(1, size // 3), max(1, size * 2 // 5), size, size + rng.randint(1, size)])
        return {"type": kind, "size": us(size), "period": us(period), "offset": us(rng.randrange(period))}
    if kind == "sessions":
        return {"type": kind, "gap": us(size)}
    return {"type": kind}


def lateness(rng, size):
    kind = rng.random()
    if kind < 0.25:
        return "0us"
    return us(rng.randint(1, 3 * size)) if kind < 0.85 else rng.choice(["3652500d", "1000000000us"])


def windowing(rng, size, accumulating=None):
    mode = rng.choice(["accumulating", "discarding"]) if accumulating is None else "accumulating" if accumulating else "discarding"
    return {**window_type(rng, size), "allowed_lateness": lateness(rng, size), "accumulation_mode": mode,
            "timestamp_combiner": rng.choice(["end_of_window", "earliest_in_pane", "latest_in_pane"]),
            "closing_behavior": rng.choice(["emit_if_nonempty", "emit_always"]),
            "on_time_behavior": rng.choice(["fire_always", "fire_if_nonempty"]),
            "trigger": "default" if rng.random() < 0.15 else trigger(rng, rng.randint(1, 4))}


def accepted(spec, base=None, allow_unsafe=True):
    """The strategy of a windowing map, or None where section 12 refuses it."""
    try:
        strategy = (base or Strategy()).with_windowing(spec) if spec else base
        strategy.check(allow_unsafe)
        return strategy
    except Refused:
        return None


def safe_windowing(rng, size, accumulating=None):
    while True:
        spec = windowing(rng, size, accumulating)
        if accepted(spec, allow_unsafe=False):
            return spec


def combine(rng):
    """Columns over the scripted fields value (nulls), x (number), b (boolean), s (string)."""
    population = {"population": rng.random() < 0.5}
    columns = {
        "n": "count", "total": {"value": "value", "fn": "sum"}, "low": {"value": "value", "fn": "min"}, "high": {"value": "value", "fn": "max"},
        "middle": {"value": "value", "fn": "mean"}, "list": {"value": "value", "fn": "group"}, "real": {"value": "x", "fn": "sum"},
        "real_low": {"value": "x", "fn": "min"}, "real_high": {"value": "x", "fn": "max"}, "real_middle": {"value": "x", "fn": "mean"},
        "spread": {"value": "x", "fn": {"type": "variance", "config": population}}, "width": {"value": "x", "fn": {"type": "stddev", "config": population}},
        "some": {"value": "b", "fn": "any"}, "each": {"value": "b", "fn": "all"}, "words": {"value": "s", "fn": "group"},
        "oldest": {"value": "x", "fn": "first"}, "newest": {"value": "x", "fn": "last"},
        "best": {"value": {"s": "s", "x": "x"}, "fn": {"type": "top", "config": {"n": rng.randint(1, 3), "by": "x", "order": rng.choice(["desc", "asc"])}}}}
    chosen = rng.sample(sorted(columns), rng.randint(1, 5))
    return {name: columns[name] for name in chosen}


FIELDS = {"x": "number", "b": "boolean", "s": "string"}


def random_fields(rng):
    return {"value": None if rng.random() < 0.15 else rng.randint(-20, 20), "b": rng.random() < 0.7, "s": rng.choice("pqrs"),
            "x": rng.choice([-2.0, -0.5, 0.0, 0.25, 0.5, 3.0]) if rng.random() < 0.5 else rng.uniform(-1000, 1000)}


STEP_COLUMNS = {"n": "count", "total": {"value": "total", "fn": "sum"}, "low": {"value": "total", "fn": "min"}, "middle": {"value": "total", "fn": "mean"},
                "list": {"value": "list", "fn": "concat"}, "top": {"value": {"n": "n", "total": "total"}, "fn": {"type": "top", "config": {"n": 2, "by": "total"}}},
                "spread": {"value": "total", "fn": "variance"}, "oldest": {"value": "total", "fn": "first"}, "newest": {"value": "total", "fn": "last"}}


def row_transforms(rng, number):
    transforms = []
    if rng.random() < 0.3:
        transforms.append({"type": "Filter", "name": f"Filter{number}", "config": {"keep": rng.choice(["total > 3", "n != 2", "total <= 40", "n >= 1"])}})
    if rng.random() < 0.3:
        fields = {"key": "key", "n": "n", "total": rng.choice(["total * 2", "total - n"]), "list": "list"}
        transforms.append({"type": "MapToFields", "name": f"Map{number}", "config": {"language": "python", "fields": fields}})
    return transforms


def consumer(rng, size, producer, replace):
    """The windowing map of a consumer (None: given windows), and its strategy."""
    while True:
        kind = rng.random()
        if kind < 0.3:
            spec = None
        elif kind < 0.5:
            spec = {"trigger": trigger(rng, rng.randint(1, 3))}
        elif kind < 0.7:
            spec = window_type(rng, size)
        else:
            spec = windowing(rng, size, True if replace else None)
        strategy = accepted(spec, producer.continued())
        # What replace does in a DISCARDING consumer is defined for sums and counts only.
        if strategy is not None and not (replace and (not strategy.accumulating or (strategy.merging and not strategy.given))):
            return spec, strategy


def chain(rng, size):
    """Two or three steps with row transforms between them."""
    replace = rng.random() < 0.6
    spec = safe_windowing(rng, size, True) if replace else windowing(rng, size)
    strategy = accepted(spec)
    while strategy is None:
        spec = windowing(rng, size)
        strategy = accepted(spec)
    first = {"n": "count", "total": {"value": "value", "fn": "sum"}, "list": {"value": "value", "fn": "group"}}
    transforms = [{"type": "Create", "name": "Input", "config": {"elements": []}},
                  {"type": "Combine", "name": "Step1", "windowing": spec, "config": {"group_by": "key", "combine": first}}]
    for number in range(2, rng.choice([3, 3, 4])):
        # A replaced row id is followed safely only while no trigger finishes (README).
        replace = rng.random() < 0.6 and strategy.accumulating and not strategy.trigger.may_finish
        transforms += row_transforms(rng, number)
        wanted, next_strategy = consumer(rng, rng.choice([size, size * 2, size * 3 // 2]), strategy, replace)
        columns = {"n": "count", "total": STEP_COLUMNS["total"], "list": STEP_COLUMNS["list"],
                   **{name: STEP_COLUMNS[name] for name in rng.sample(sorted(STEP_COLUMNS), 2)}}
        config = {"group_by": "key", "combine": columns} if number == 2 and rng.random() < 0.6 else {"group_by": [], "combine": columns}
        if strategy.several_panes():
            config["input_panes"] = "replace" if replace else "append"
        transforms.append({"type": "Combine", "name": f"Step{number}", **({"windowing": wanted} if wanted else {}), "config": config})
        strategy = next_strategy
        if config["group_by"] == []:
            break
    return {"type": "chain", "transforms": transforms}
