#!/usr/bin/python3
"""Runs transcripts (section 18.1) on the oracle: python3 tests/oracle/transcript.py FILES..."""

import copy
import gzip
import json
import sys

import yaml

from expectations import Failed, check_panes, same_time
from oracle import Oracle
from script import Script, batch_of, names_every_key, split
from times import Refused, scale
from trigger_text import from_python

KEY_SETS = [["k0"], ["k0", "k1"], [f"k{i}" for i in range(6)]]
KNOWN = {"name", "windowing", "pipeline", "unit", "keys", "splits", "unsafe", "differs", "sessions_merge", "source", "transcript", "error",
         "observe", "bounded", "options", "combine", "fields"}
PER_KEY_COUNTERS = {"dropped_late", "dropped_closed", "no_window", "bad_timestamp", "future_timestamp", "overflow", "tombstones", "windows_with_state"}
DEFAULT_COMBINE = {"count": {"value": "value", "fn": "count"}, "sum": {"value": "value", "fn": "sum"}, "values": {"value": "value", "fn": "group"}}


def documents(path):
    opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path)
    with opened as stream:
        if path.endswith(".jsonl"):
            return [json.loads(line) for line in stream]
        text = stream.read()
    try:
        loaded = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
    except yaml.scanner.ScannerError:
        # Beam's file has `values:[1, ..]` without a space, which libyaml refuses and the slower reader takes.
        loaded = list(yaml.load_all(text, Loader=yaml.SafeLoader))
    return [document for document in loaded if document is not None]


def is_beam(document):
    return "window_fn" in document or "windowfn" in document


def one_step(windowing, combine):
    return {"type": "chain", "transforms": [
        {"type": "Create", "name": "Input", "config": {"elements": []}},
        {"type": "Combine", "name": "Step", "windowing": windowing, "config": {"group_by": "key", "combine": combine}}]}


def beam_windowing(document):
    """Beam's own fields as a map of 16.2. Its trigger is read as Python text and put in after the pipeline is built."""
    name, _, arguments = (document.get("window_fn") or document.get("windowfn")).rstrip(")").partition("(")
    numbers = [float(argument) for argument in arguments.split(",") if argument.strip()]
    unit = document.get("unit", "s")
    amounts = [f"{scale(number, unit)}us" for number in numbers]
    windows = {"GlobalWindows": ("global",), "FixedWindows": ("fixed", "size", "offset"), "CustomTimestampingFixedWindowsWindowFn": ("fixed", "size", "offset"),
               "SlidingWindows": ("sliding", "size", "period", "offset"), "Sessions": ("sessions", "gap")}
    kind, *parameters = windows[name]
    stamps = {"OUTPUT_AT_EOW": "end_of_window", "OUTPUT_AT_EARLIEST": "earliest_in_pane", "OUTPUT_AT_LATEST": "latest_in_pane"}
    return {"type": kind, **dict(zip(parameters, amounts)),
            "allowed_lateness": f"{scale(document.get('allowed_lateness', 0), unit)}us",
            "accumulation_mode": document.get("accumulation_mode", "ACCUMULATING").lower(),
            "timestamp_combiner": stamps[document.get("timestamp_combiner", "OUTPUT_AT_EOW")],
            "closing_behavior": document.get("closing_behavior", "emit_if_nonempty"),
            "on_time_behavior": document.get("on_time_behavior", "fire_always")}


def build(document):
    if is_beam(document):
        oracle = Oracle(one_step(beam_windowing(document), DEFAULT_COMBINE), allow_unsafe=True)
        oracle.steps["Step"].strategy.trigger = from_python(document.get("trigger_fn", "Default"))
        return oracle
    unknown = set(document) - KNOWN
    if unknown:
        raise Failed(f"unknown key '{sorted(unknown)[0]}' in the document")
    pipeline = document.get("pipeline") or one_step(document["windowing"], document.get("combine", DEFAULT_COMBINE))
    return Oracle(pipeline, document.get("source"), document.get("unsafe", False), document.get("bounded", False), document.get("options"))


class Run:
    """One run of one document, with one set of keys and one way to cut its batches."""

    def __init__(self, document, keys, how):
        self.document, self.keys, self.how = document, keys, how
        self.oracle = build(document)
        self.script = Script(document.get("unit", "s"), keys or [None], document.get("fields", {}))
        self.observed = document.get("observe", list(self.oracle.steps))
        self.panes = []

    def run(self):
        for position, action in enumerate(self.document["transcript"]):
            try:
                self.act(action, position)
            except Failed as failure:
                raise Failed(f"{failure} (action {position})") from None
        check_panes(self.panes, [], self.script, False)

    def act(self, action, position):
        (name, body), = action.items()
        if name == "expect":
            check_panes(self.panes, self.expectations(body), self.script, self.keys is not None)
            self.panes = []
            return
        parts = batch_of(action)
        if parts is not None:
            check_panes(self.panes, [], self.script, False)
            self.panes = []
            for rows, plan in split(self.script.batch(parts), self.how, position):
                self.panes += [pane for pane in self.oracle.batch(rows, plan) if pane.step in self.observed and self.compared(pane)]
        elif name in ("snapshot", "restart"):
            self.stop()
        elif name == "expect_counters":
            self.check_counters(body)
        elif name == "expect_watermark":
            if not same_time(self.oracle.source_watermark, body, self.script.unit):
                raise Failed(f"Watermark differs: expected {body}, got {self.oracle.source_watermark} us")
        elif name == "expect_output_watermark":
            self.check_output_watermark(body)
        elif not is_beam(self.document):
            raise Failed(f"unknown action '{name}'")

    def stop(self):
        """R70: nothing fires, and everything continues."""
        self.oracle = copy.deepcopy(self.oracle)

    def compared(self, pane):
        return not (pane.tombstone and self.document.get("sessions_merge"))

    def expectations(self, panes):
        for pane in panes:
            pane = pane if "step" in pane else {**pane, "step": self.observed[-1]}
            if "key" in pane or self.keys is None:
                yield pane
            else:
                for key in self.keys:
                    yield {**pane, "key": key}

    def check_counters(self, expected):
        counters = self.oracle.counters(expected.get("step"))
        for name, value in expected.items():
            if name == "step":
                continue
            value *= len(self.keys) if self.keys and name in PER_KEY_COUNTERS else 1
            if counters.get(name, 0) != value:
                raise Failed(f"Counters differ: {name} expected {value}, got {counters.get(name, 0)}")

    def check_output_watermark(self, expected):
        if not isinstance(expected, dict):
            expected = {list(self.oracle.steps)[-1]: expected}
        for step, value in expected.items():
            ours = self.oracle.steps[step].output_watermark
            if not same_time(ours, value, self.script.unit):
                raise Failed(f"Output watermark differs: {step} expected {value}, got {ours} us")


def run_document(document):
    """Raises Failed or Refused unless every run of the document meets its expectations."""
    if "keys" in document:
        key_sets = [document["keys"]]
    else:
        key_sets = [None] if names_every_key(document) else KEY_SETS
    splits = document.get("splits", "as_written")
    for how in [splits] if isinstance(splits, str) else splits:
        for keys in key_sets:
            Run(document, keys, how).run()


def verdict(document):
    """None if the document passes, "skipped", or why it fails."""
    if "differs" in document or document.get("timestamp_combiner") == "OUTPUT_AT_EARLIEST_TRANSFORMED":
        return "skipped"
    try:
        run_document(document)
    except (Failed, Refused) as failure:
        wanted = document.get("error")
        return None if wanted and wanted in str(failure) else str(failure)
    return f"expected to fail with '{document['error']}'" if "error" in document else None


def main(paths):
    passed = failed = skipped = 0
    for path in paths:
        for document in documents(path):
            why = verdict(document)
            if why is None:
                passed += 1
            elif why == "skipped":
                skipped += 1
            else:
                failed += 1
                print(f"{path}: {document['name']}: {why}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
