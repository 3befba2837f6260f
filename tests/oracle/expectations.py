"""Compares panes with what a transcript expects of them."""

import math

from times import T_END, T_MAX, T_MIN, UNIT_US, exact


class Failed(Exception):
    """A transcript whose expectations do not hold."""


def show(time):
    names = {T_MIN: "-inf", T_MAX: "inf", T_END: "T_END"}
    return names.get(time, f"{time / 1e6:.6f}")


def describe(pane):
    window = f"{pane.step} {list(pane.key)} [{show(pane.window[0])},{show(pane.window[1])})"
    if pane.tombstone:
        return f"{window} tombstone"
    flags = "".join(f" {flag}" for flag in ("first", "last", "drained") if getattr(pane, flag))
    return f"{window} {pane.timing} #{pane.index}/{pane.nonspeculative_index} @{show(pane.stamp)}{flags} {pane.result}"


def same_time(ours, expected, unit):
    """An integer is compared in whole units (README), anything else exactly."""
    if isinstance(expected, int):
        return ours // UNIT_US[unit] == expected
    if expected in ("inf", math.inf):
        return ours == T_MAX
    if expected in ("-inf", -math.inf):
        return ours == T_MIN
    return ours == exact(expected) * UNIT_US[unit]


def same_value(ours, expected, within=None):
    if isinstance(expected, dict):
        return isinstance(ours, dict) and ours.keys() == expected.keys() and all(same_value(ours[name], expected[name], within) for name in ours)
    if isinstance(expected, list):
        return isinstance(ours, list) and len(ours) == len(expected) and all(same_value(*pair, within) for pair in zip(ours, expected))
    if isinstance(expected, bool) or isinstance(ours, bool) or ours is None or expected is None:
        return ours is expected
    if isinstance(expected, float) and isinstance(ours, (int, float)):
        if math.isnan(expected):
            return math.isnan(ours)
        if within == 0:
            return ours == expected and math.copysign(1, ours) == math.copysign(1, expected)
        return ours == expected or abs(ours - expected) <= (within if within is not None else 1e-12 * abs(expected))
    return ours == expected


def matches(pane, expected, script, position):
    if bool(expected.get("tombstone", False)) != pane.tombstone:
        return False
    for name, value in expected.items():
        if name in ("tombstone", "within"):
            continue
        if not ATTRIBUTES[name](pane, value, script, expected, position):
            return False
    return True


def interval(pane, value, script, expected, position):
    return list(pane.window) == [script.number(edge) if edge != "T_END" else T_END for edge in value]


def beam_window(pane, value, script, expected, position):
    start, end = pane.window
    return start == script.number(value[0]) and (end - 1) // UNIT_US[script.unit] == value[1]


def same_key(pane, value, script, expected, position):
    return pane.key == (tuple(value) if isinstance(value, list) else (value,))


def column(pane, name, value):
    return pane.result is not None and name in pane.result and same_value(pane.result[name], value)


def values(pane, value, script, expected, position):
    return pane.result is not None and multiset(pane.result["values"]) == multiset(value)


def multiset(items):
    return sorted(items, key=lambda item: (item is not None, item))


def result(pane, value, script, expected, position):
    if pane.result is None:
        return False
    within = expected.get("within", {})
    return all(name in pane.result and same_value(pane.result[name], each, within.get(name)) for name, each in value.items())


ATTRIBUTES = {
    "interval": interval, "window": beam_window, "key": same_key, "values": values, "result": result,
    "step": lambda pane, value, *_: pane.step == value,
    "timestamp": lambda pane, value, script, *_: same_time(pane.stamp, value, script.unit),
    "index": lambda pane, value, *_: pane.index == value,
    "nonspeculative_index": lambda pane, value, *_: pane.nonspeculative_index == value,
    "early": lambda pane, value, *_: (pane.timing == "EARLY") == value,
    "late": lambda pane, value, *_: (pane.timing == "LATE") == value,
    "final": lambda pane, value, *_: pane.last == value,
    "first": lambda pane, value, *_: pane.first == value,
    "timing": lambda pane, value, *_: pane.timing == value,
    "drained": lambda pane, value, *_: pane.drained == value,
    "order": lambda pane, value, script, expected, position: position == value,
    "count": lambda pane, value, *_: column(pane, "count", value),
    "sum": lambda pane, value, *_: column(pane, "sum", value),
}


def check_panes(panes, expectations, script, per_key):
    """Matches in the order written, each with the first pane left that agrees; nothing may be left over."""
    seen, positions = {}, []
    for pane in panes:
        group = (pane.step, pane.key if per_key else None)
        positions.append(seen.get(group, 0))
        seen[group] = positions[-1] + 1
    left = list(zip(panes, positions))
    for expected in expectations:
        found = next((each for each in left if matches(each[0], expected, script, each[1])), None)
        if found is None:
            raise Failed(f"Unmatched output: {expected} among {[describe(pane) for pane, _ in left]}")
        left.remove(found)
    if left:
        raise Failed(f"Unexpected output: {[describe(pane) for pane, _ in left]}")
