"""Reads triggers: the spelling of 16.2 with the proto's JSON, and Beam's Python spelling in its transcripts."""

import ast

from composites import AfterAll, AfterAny, AfterEach, OrFinally, Repeat
from times import LONGEST_US, Refused, duration
from triggers import (Always, Default, ElementCount, EndOfWindow, EndOfWindowWithParts, Never, ProcessingTime,
                      SynchronizedProcessingTime)

LEAVES = {"default": Default, "never": Never, "always": Always, "after_end_of_window": EndOfWindow,
          "after_synchronized_processing_time": SynchronizedProcessingTime}
MANY = {"after_all": AfterAll, "after_any": AfterAny, "after_each": AfterEach}


def trigger(spec):
    tree = node(spec)
    check_size(tree)
    return tree


def check_size(tree):
    """Also of what a step inherits: the continuation of an after_each or or_finally is larger (R63)."""
    count = sum(1 for _ in tree.nodes())
    if count > 32:
        raise Refused(f"E122 trigger has {count} nodes, the limit is 32")


def node(spec):
    if isinstance(spec, str):
        spec = {spec: {}}
    (name, body), = spec.items()
    if name == "after_end_of_window" and body:
        return with_parts(body.get("early_firings"), body.get("late_firings"))
    if name in LEAVES:
        return LEAVES[name]()
    if name in MANY:
        parts = body["subtriggers"] if isinstance(body, dict) else body
        if len(parts) < 2:
            raise Refused(f"E121 {name} needs at least two triggers")
        return MANY[name](*map(node, parts))
    if name == "element_count":
        count = body["element_count"] if isinstance(body, dict) else body
        if count < 1:
            raise Refused("E120 element_count must be at least 1")
        return ElementCount(count)
    if name == "after_processing_time":
        return ProcessingTime(transforms(body))
    if name == "or_finally":
        return OrFinally(node(body["main"]), node(body["finally"]))
    if name == "repeat":
        return Repeat(node(body["subtrigger"] if set(body) == {"subtrigger"} else body) if isinstance(body, dict) else node(body))
    raise Refused(f"E101 trigger '{name}'")


def with_parts(early, late):
    if early is None and late is None:
        return EndOfWindow()
    return EndOfWindowWithParts(Never() if early is None else node(early), None if late is None else node(late))


def transforms(body):
    if not isinstance(body, dict):
        return (("delay", delay(body)),)
    result = []
    for transform in body.get("timestamp_transforms", ()):
        (kind, value), = transform.items()
        if kind == "delay":
            result.append(("delay", delay(f"{value['delay_millis']}ms" if isinstance(value, dict) else value)))
        else:
            period, offset = (duration(value.get(key, 0)) for key in ("period", "offset"))
            if period <= 0:
                raise Refused("E123 align_to.period must be positive")
            result.append(("align", period, offset))
    return tuple(result)


def delay(value):
    value = duration(value)
    if value < 0:
        raise Refused("E123 delay must not be negative")
    if value > LONGEST_US:
        raise Refused("E113 delay is too long")
    return value


def from_python(text):
    """Beam's transcripts name its Python classes: AfterWatermark(early=AfterCount(3))."""
    return python_node(ast.parse(text, mode="eval").body)


def python_node(tree):
    if isinstance(tree, ast.Name):
        name, args, named = tree.id, [], {}
    else:
        name, args, named = tree.func.id, tree.args, {keyword.arg: keyword.value for keyword in tree.keywords}
    if name in ("Default", "DefaultTrigger"):
        return Default()
    if name == "AfterWatermark":
        early, late = (named.get(part) and python_node(named[part]) for part in ("early", "late"))
        return EndOfWindow() if not named else EndOfWindowWithParts(early or Never(), late)
    if name == "AfterCount":
        return ElementCount(ast.literal_eval(args[0]))
    if name == "Repeatedly":
        return Repeat(python_node(args[0]))
    many = {"AfterAny": AfterAny, "AfterAll": AfterAll, "AfterEach": AfterEach, "OrFinally": OrFinally, "Always": Always, "Never": Never}
    if name in many:
        return many[name](*map(python_node, args))
    raise Refused(f"E101 trigger '{name}'")
