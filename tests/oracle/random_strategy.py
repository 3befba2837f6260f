"""Random triggers and windowing maps for the fuzzer (18.2)."""

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
    kind = rng.choice(["fixed", "sliding", "sliding", "sessions", "sessions", "global"])
    if kind == "fixed":
        return {"type": kind, "size": us(size), "offset": us(rng.randrange(size))}
    if kind == "sliding":
        period = rng.choice([max(1, size // 2), max(1, size // 3), max(1, size * 2 // 5), max(1, size // 60), size, size + rng.randint(1, size)])
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
    result = {**window_type(rng, size), "allowed_lateness": lateness(rng, size), "accumulation_mode": mode,
              "timestamp_combiner": rng.choice(["end_of_window", "earliest_in_pane", "latest_in_pane"]),
              "closing_behavior": rng.choice(["emit_if_nonempty", "emit_always"]),
              "on_time_behavior": rng.choice(["fire_always", "fire_if_nonempty"]),
              "trigger": "default" if rng.random() < 0.15 else trigger(rng, rng.randint(1, 4))}
    if result["type"] == "sliding" and rng.random() < 0.6:
        # Windows that nothing can be seen of before they end: engines share work between them.
        result.update(timestamp_combiner="end_of_window", trigger=ends_only(rng))
    return result


def ends_only(rng):
    late = {"after_end_of_window": {"late_firings": trigger(rng, rng.randint(1, 3))}}
    return rng.choice(["default", "after_end_of_window", late])


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
