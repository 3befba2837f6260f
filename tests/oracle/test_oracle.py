#!/usr/bin/python3
"""Properties P1 to P8 and P10 of 18.3 on random scripts, which rules the transcripts show, and the tools' own tests: python3 tests/oracle/test_oracle.py"""

import glob
import json
import os
import random
import re
import sys
import unittest
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import random_strategy
from aggregates import FUNCTIONS
from fuzz import document as fuzz_document, unscripted
from oracle import Oracle, Plan
from shrink import rows_of, script_of, shrink
from times import T_END, T_MAX, T_MIN, duration
from transcript import DEFAULT_COMBINE, build, documents, one_step, verdict
from windows import sessions_of, span

SEEDS = range(150)


def random_script(rng, size, batches=12):
    """Rows (key, stamp) and marks around a slow watermark."""
    now, script = 0, []
    for _ in range(batches):
        rows = [(rng.choice(["a", "b", "c"]), now + rng.randint(-3 * size, 3 * size)) for _ in range(rng.randint(0, 5))]
        now += rng.choice([0, 1, size // 2, size, 3 * size])
        script.append((rows, rng.choice([None, now]), rng.choice([0, 0, 5, 20])))
    return script


class Observed:
    """A step driven by a script, with everything it emitted."""

    def __init__(self, spec, unsafe=True):
        self.oracle = Oracle(one_step(spec, DEFAULT_COMBINE), allow_unsafe=unsafe)
        self.step = self.oracle.steps["Step"]
        self.clock, self.panes, self.batches = 0, [], []

    def batch(self, rows, watermark=None, clock=0, end=False):
        before = (self.step.watermark, self.step.output_watermark, self.step.processing_time)
        self.clock += clock
        panes = self.oracle.batch([("p0", stamp, {"key": key, "value": stamp}) for key, stamp in rows], Plan(self.clock, watermark, end=end))
        self.panes += panes
        self.batches.append((before, (self.step.watermark, self.step.output_watermark, self.step.processing_time), panes))

    def run(self, script, end=True):
        for rows, watermark, clock in script:
            self.batch(rows, watermark, clock)
        if end:
            self.batch([], end=True)
        return self

    def last_values(self):
        """The last value of every live row id."""
        rows = {}
        for pane in self.panes:
            row_id = (pane.key, pane.window[0])
            if pane.tombstone:
                rows.pop(row_id, None)
            else:
                rows[row_id] = (pane.window, sorted(pane.result["values"]))
        return rows


def random_spec(rng, accumulating=None, safe=False, kinds=None):
    while True:
        size = rng.choice([10, 7, 13])
        spec = random_strategy.windowing(rng, size, accumulating)
        if (kinds is None or spec["type"] in kinds) and random_strategy.accepted(spec, allow_unsafe=not safe):
            return size, spec


def cut(rng, script):
    """The same rows between the same watermark steps, in other batches and another order."""
    waiting, result = [], []
    for rows, watermark, clock in script:
        waiting += rows
        if watermark is not None:
            rng.shuffle(waiting)
            while waiting:
                count = rng.randint(1, len(waiting))
                result.append((waiting[:count], None, 0))
                waiting = waiting[count:]
            result.append(([], watermark, clock))
    return result + [(waiting, None, 0)]


class Properties(unittest.TestCase):
    def each(self):
        for self.seed in SEEDS:
            yield random.Random(self.seed)

    def _formatMessage(self, msg, standardMsg):
        return super()._formatMessage(f"seed {self.seed}", standardMsg)

    def test_p1_batches_do_not_change_the_last_values(self):
        for rng in self.each():
            size = rng.choice([10, 7])
            spec = {**random_strategy.window_type(rng, size), "allowed_lateness": f"{rng.choice([0, 5, 100])}us", "accumulation_mode": "accumulating"}
            script = random_script(rng, size)
            script = [(rows, watermark, 0) for rows, watermark, _ in script]
            one, two = Observed(spec).run(cut(rng, script)), Observed(spec).run(cut(rng, script))
            self.assertEqual(one.last_values(), two.last_values())
            self.assertEqual(one.step.counters["dropped_late"], two.step.counters["dropped_late"])

    def test_p2_sessions_do_not_depend_on_order(self):
        for rng in self.each():
            stamps = [rng.randint(0, 200) for _ in range(20)]
            expected = sorted(span(group) for group in sessions_of([(t, t + 7) for t in stamps]))
            seen = Observed({"type": "sessions", "gap": "7us"})
            for stamp in rng.sample(stamps, len(stamps)):
                seen.batch([("a", stamp)])
            seen.batch([], end=True)
            self.assertEqual(sorted(pane.window for pane in seen.panes), expected)

    def test_p3_timings_and_indexes_of_a_window(self):
        for rng in self.each():
            size, spec = random_spec(rng, kinds=("fixed", "sliding", "global"))
            panes = {}
            for pane in Observed(spec).run(random_script(rng, size)).panes:
                panes.setdefault((pane.key, pane.window), []).append(pane)
            for window in panes.values():
                timings = [pane.timing for pane in window]
                self.assertEqual(timings, sorted(timings, key=["EARLY", "ON_TIME", "LATE"].index))
                self.assertLessEqual(timings.count("ON_TIME"), 1)
                self.assertEqual([pane.index for pane in window], list(range(len(window))))
                late = [pane.nonspeculative_index for pane in window if pane.timing != "EARLY"]
                self.assertEqual(late, list(range(len(late))))
                self.assertTrue(all(pane.nonspeculative_index == -1 for pane in window if pane.timing == "EARLY"))
                self.assertEqual([pane.first for pane in window], [True] + [False] * (len(window) - 1))
                self.assertFalse(any(pane.last for pane in window[:-1]))

    def test_p4_marks_never_decrease_and_stamps_stay_inside(self):
        for rng in self.each():
            size, spec = random_spec(rng)
            for before, after, panes in Observed(spec).run(random_script(rng, size)).batches:
                self.assertTrue(all(old <= new for old, new in zip(before, after)))
                self.assertLessEqual(after[1], after[0])
                for pane in panes:
                    if not pane.tombstone:
                        self.assertTrue(pane.window[0] <= pane.stamp <= pane.window[1] - 1)
                        self.assertTrue(pane.timing == "LATE" or pane.stamp >= before[1])

    def test_p5_nothing_is_left_after_the_end(self):
        for rng in self.each():
            size, spec = random_spec(rng)
            seen = Observed(spec).run(random_script(rng, size))
            self.assertEqual((len(seen.step.cells), seen.step.output_watermark), (0, T_MAX))

    def test_p6_every_pair_is_accepted_once_or_dropped(self):
        for rng in self.each():
            size, spec = random_spec(rng, accumulating=False, safe=True)
            script = random_script(rng, size)
            seen = Observed(spec).run(script)
            pairs = sum(len(seen.step.strategy.window_fn.assign(stamp)) for rows, _, _ in script for _, stamp in rows)
            emitted = sum(pane.result["count"] for pane in seen.panes)
            self.assertEqual(pairs, emitted + seen.step.counters["dropped_late"] + seen.step.counters["dropped_closed"])

    def test_p7_other_keys_change_no_firing_with_rows(self):
        for rng in self.each():
            size, spec = random_spec(rng, accumulating=False)
            script = random_script(rng, size)
            alone = [([row for row in rows if row[0] == "a"], watermark, clock) for rows, watermark, clock in script]

            def firings(seen):
                return [(pane.window, pane.result) for pane in seen.panes if pane.key == ("a",) and pane.result["count"]]

            self.assertEqual(firings(Observed(spec).run(script)), firings(Observed(spec).run(alone)))

    def test_p8_shifted_and_scaled_scripts_give_shifted_and_scaled_panes(self):
        for rng in self.each():
            size, spec = random_spec(rng, kinds=("fixed", "sliding", "sessions"))
            script = random_script(rng, size)
            period = duration(spec.get("period", spec.get("size", "1us")))
            shift = period * duration(spec.get("size", "1us")) * rng.choice([-1, 1]) * rng.randint(1, 10 ** 6)
            seen = views(Observed(spec).run(script, end=False))
            shifted = [([(key, stamp + shift) for key, stamp in rows], None if mark is None else mark + shift, clock) for rows, mark, clock in script]
            self.assertEqual(views(Observed(spec).run(shifted, end=False), shift), seen)
            scaled = [([(key, stamp * 1000) for key, stamp in rows], None if mark is None else mark * 1000, clock * 1000) for rows, mark, clock in script]
            self.assertEqual(views(Observed(thousandfold(spec)).run(scaled, end=False), 0, 1000), seen)

    def test_p10_replace_equals_a_recount_of_the_live_rows(self):
        for rng in self.each():
            size = 10
            spec = random_strategy.safe_windowing(rng, size, True)
            config = {"group_by": [], "input_panes": "replace", "combine": {"n": "count", "total": {"value": "count", "fn": "sum"}}}
            second = {"type": "global", "trigger": {"repeat": {"element_count": 1}}, "accumulation_mode": "accumulating", "allowed_lateness": "0s"}
            pipeline = one_step(spec, DEFAULT_COMBINE)
            pipeline["transforms"].append({"type": "Combine", "name": "Second", "windowing": second, "config": config})
            oracle = Oracle(pipeline)
            live, counted = {}, {"n": 0, "total": 0}
            for rows, watermark, clock in random_script(rng, size):
                for pane in oracle.batch([("p0", stamp, {"key": key, "value": stamp}) for key, stamp in rows], Plan(clock, watermark)):
                    if pane.step == "Step":
                        live.pop((pane.key, pane.window[0]), None)
                        if not pane.tombstone:
                            live[pane.key, pane.window[0]] = pane.result["count"]
                    else:
                        counted = {"n": 0, "total": 0} if pane.tombstone else pane.result
                self.assertEqual(counted, {"n": len(live), "total": sum(live.values())})


def views(seen, shift=0, factor=1):
    """Panes as their times before a shift or a scaling."""
    def back(time):
        return (time - shift) // factor
    return [(pane.key, back(pane.window[0]), back(pane.window[1]), pane.tombstone) if pane.tombstone else
            (pane.key, back(pane.window[0]), back(pane.window[1]), pane.timing, pane.index, pane.nonspeculative_index, pane.last,
             back(pane.stamp), sorted(back(value) for value in pane.result["values"])) for pane in seen.panes]


def thousandfold(spec):
    """Every duration of a windowing map, in ms instead of us."""
    if isinstance(spec, dict):
        return {key: thousandfold(value) for key, value in spec.items()}
    if isinstance(spec, list):
        return [thousandfold(value) for value in spec]
    return spec[:-2] + "ms" if isinstance(spec, str) and spec.endswith("us") and spec[0].isdigit() else spec


# Every example of the semantics, each the start of a transcript's name.
EXAMPLES = ("x1 x2a x2b x3a x3b x3c x4a x4b x5 x6 x7 x8 x9 x10 x11 x12 x13 x14 x15 x16 x17 x18 x19 x20 x21 x22 x23 x24 x25 x26 x27 x29 x30 x36 x37 x38 x39 x40 x41"
            " x42 x43 x44 x45 x46 x47 x48 x49 x50 x51 s1 s2 s3 s4 s5 s6 g1 g2 g3").split()
# Rules that no transcript is named after, each with the examples that show it.
SHOWN_BY = {7: "x2a x2b", 15: "s1", 16: "x1", 19: "x1 x44", 20: "x3c", 21: "x5", 25: "x8", 26: "x8", 27: "x6", 29: "x21", 34: "x10", 35: "x14", 42: "x12", 44: "x13",
            53: "x38", 56: "x23", 61: "x16 x17 x30", 79: "g1 g2 g3", 81: "s1", 83: "s3", 84: "s4"}


class Coverage(unittest.TestCase):
    def setUp(self):
        files = glob.glob(os.path.join(HERE, "..", "transcripts", "*.yaml"))
        self.names = [document["name"] for file in files for document in documents(file)]

    def test_every_example_is_a_transcript(self):
        self.assertEqual([example for example in EXAMPLES if not any(name.startswith(example + "_") for name in self.names)], [])

    def test_every_rule_is_shown_by_a_transcript(self):
        named = {int(match[1]) for name in self.names if (match := re.match(r"r(\d+)_", name))}
        self.assertEqual(sorted({*range(1, 92)} - named), sorted(SHOWN_BY))
        self.assertEqual({example for examples in SHOWN_BY.values() for example in examples.split()} - {*EXAMPLES}, set())

    def test_no_name_is_given_twice(self):
        self.assertEqual([name for name, count in Counter(self.names).items() if count > 1], [])


def above_of(transforms, transform):
    """What stands between a step and the steps above it, these too."""
    inputs = transform["input"] if isinstance(transform["input"], list) else [transform["input"]]
    for above in (transforms[name] for name in inputs):
        yield above
        if above["type"] != "Combine":
            yield from above_of(transforms, above)


class Tools(unittest.TestCase):
    def test_fuzz_is_a_function_of_its_seed_and_its_documents_pass(self):
        for number in range(150):
            with self.subTest(number=number):
                one = fuzz_document(3, number)
                self.assertEqual(json.dumps(one), json.dumps(fuzz_document(3, number)))  # NaN is not NaN
                self.assertIsNone(verdict(one))

    def test_fuzz_reaches_every_kind_of_pane(self):
        seen = Counter()
        for number in range(200):
            for action in fuzz_document(4, number)["transcript"]:
                for pane in action.get("expect", []):
                    seen.update([pane.get("timing", "tombstone")])
        self.assertEqual(set(seen), {"EARLY", "ON_TIME", "LATE", "tombstone"})

    def test_fuzz_draws_every_aggregate_under_every_windowing_and_mode(self):
        rng, seen = random.Random(5), Counter()
        for _ in range(4000):
            for step in build(unscripted(rng, 10)).steps.values():
                windows = "given" if step.strategy.given else type(step.strategy.window_fn).__name__
                seen.update((column.fn, windows, step.strategy.accumulating) for column in step.columns)
        every = {(fn, windows, mode) for fn in FUNCTIONS for windows in ("Fixed", "Sliding", "Sessions", "Global", "given") for mode in (True, False)}
        self.assertEqual(every - set(seen), set())

    def test_fuzz_draws_every_way_between_two_steps(self):
        rng, seen = random.Random(6), Counter()
        for _ in range(4000):
            document = unscripted(rng, 10)
            transforms = {transform["name"]: transform for transform in document.get("pipeline", {"transforms": []})["transforms"]}
            for consumer in transforms.values():
                mode = consumer.get("config", {}).get("input_panes")
                for above in above_of(transforms, consumer) if mode else []:
                    seen[mode, above["type"], "unsafe" in document] += 1
                if mode:
                    seen[mode, build(document).steps[consumer["name"]].strategy.accumulating] += 1
        ways = ("Combine", "Filter", "MapToFields", "Explode", "ExtractWindowingInfo", "AssignTimestamps", "Flatten", "WindowInto")
        every = {(mode, way, unsafe) for mode in ("append", "replace") for way in ways for unsafe in (True, False)}
        every |= {(mode, accumulating) for mode in ("append", "replace") for accumulating in (True, False)}
        self.assertEqual(every - set(seen), set())

    def test_shrink_keeps_only_what_fails(self):
        spec = {"type": "fixed", "size": "10us", "allowed_lateness": "5us", "accumulation_mode": "accumulating"}
        rows = [{"key": key, "ts": stamp, "value": 1} for key, stamp in (("a", 1), ("b", 4), ("a", 9), ("a", 2))]
        large = {"name": "large", "unit": "us", "windowing": spec,
                 "transcript": [{"batch": {"input": rows}}, {"batch": {"clock": 3}}, {"batch": {"watermark": 12}}, {"batch": {"input": rows}}, {"batch": {"watermark": 50}}]}

        def late(document):
            return any(pane.get("timing") == "LATE" for action in document["transcript"] for pane in action.get("expect", []))

        small = shrink(large, late)
        self.assertTrue(late(small))
        self.assertEqual([len(rows_of(action) or []) for action in script_of(small)].count(1), 1)
        self.assertEqual(len(script_of(small)), 2)


if __name__ == "__main__":
    unittest.main()
