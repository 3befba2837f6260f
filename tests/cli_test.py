"""The command from outside: exit codes, messages, signals, and whole jobs against the known truth.

Usage: cli_test.py PATH-OF-WINDROW
"""
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import time

import cli_case
from cli_case import CliCase, EXAMPLES

# How long a run may read before it is stopped; sanitizers (tests/scale.hpp) make it slow to start.
READING_S = 8 if "WINDROW_TEST_SCALE" in os.environ else 2

COUNTS = """
pipeline:
  transforms:
    - {type: ReadFromJson, name: Views, config: {path: "%(input)s", error_handling: {output: bad}}}
    - {type: AssignTimestamps, name: EventTime, input: Views, config: {timestamp: ts, unit: ms}}
    - type: Combine
      name: PerPage
      input: EventTime
      windowing: {type: fixed, size: 5m}
      config: {group_by: url, combine: {views: {value: url, fn: count}}}
    - type: WriteToSqlite
      name: Save
      input: PerPage
      config: {path: "%(database)s", table: views, create_table: true, key: [window_start, url]}
    - {type: WriteToJson, name: Bad, input: Views.bad, config: {path: "%(bad)s", write_mode: append}}
"""

GENERATE = """
pipeline:
  transforms:
    - {type: Generate, name: Views, config: {kind: pageviews, seed: 3, rate: 500, watermark: {max_out_of_orderness: 30s}}}
    - type: Combine
      name: PerPage
      input: Views
      windowing: {type: fixed, size: 5m, allowed_lateness: 10m, accumulation_mode: accumulating}
      config: {group_by: url, combine: {views: {value: url, fn: count}}}
    - type: WriteToSqlite
      name: Save
      input: PerPage
      config: {path: "%(database)s", table: views, create_table: true, key: [window_start, url]}
"""

TESTED = """
pipeline:
  transforms:
    - {type: ReadFromJson, name: In, config: {path: "nowhere.ndjson", schema: '{"type": "object", "properties": {"x": {"type": "integer"}}}'}}
    - {type: MapToFields, name: Double, input: In, config: {language: python, fields: {y: "x * 2"}}}
    - {type: WriteToJson, name: Out, input: Double, config: {path: "nowhere-else.ndjson", write_mode: append}}
tests:
  - name: doubles
    mock_outputs: [{name: In, elements: [{x: 1}, {x: 2}]}]
    expected_inputs: [{name: Out, elements: [{y: 2}, {y: %(second)d}]}]
"""


class CliTest(CliCase):
    def job(self, template, **values):
        values = {"database": self.path / "out.db", "bad": self.path / "bad.ndjson", **values}
        return self.file("job.yaml", template % values)

    def rows(self, query):
        with sqlite3.connect(self.path / "out.db") as database:
            return database.execute(query).fetchall()

    def test_usage_errors_are_64_and_name_the_verb_meant(self):
        self.assertEqual(self.windrow().returncode, 64)
        wrong = self.windrow("chek")
        self.assertEqual(wrong.returncode, 64)
        self.assertIn("did you mean 'check'?", wrong.stderr)
        self.assertEqual(self.windrow("run").returncode, 64)
        self.assertEqual(self.windrow("run", "x.yaml", "--input", "y").returncode, 64)
        self.assertEqual(self.windrow("--help").returncode, 0)
        self.assertIn("doctor", self.windrow("--help").stdout)

    def test_version_and_doctor_say_what_runs_here(self):
        version = json.loads(self.windrow("version", "--json").stdout)
        for name in ("version", "compiler", "allocator", "backends"):
            self.assertTrue(version[name])
        self.assertRegex(version["allocator"], "tcmalloc|sanitizer")
        self.assertEqual(self.windrow("doctor", "--backends").stdout.splitlines()[:2], ["cpu", "twin"])
        self.assertIn("clock", json.loads(self.windrow("doctor", "--json").stdout))

    def test_gen_gives_the_same_bytes_for_a_seed(self):
        one = self.windrow("gen", "pageviews", "--seed", 5, "--events", 2000, "--out", "-")
        two = self.windrow("gen", "pageviews", "--seed", 5, "--events", 2000, "--out", "-")
        other = self.windrow("gen", "pageviews", "--seed", 6, "--events", 2000, "--out", "-")
        self.assertEqual(one.returncode, 0)
        self.assertEqual(one.stdout, two.stdout)
        self.assertNotEqual(one.stdout, other.stdout)

    def test_check_finds_a_typo_by_line_and_column(self):
        path = self.job(GENERATE.replace("allowed_lateness", "alowed_lateness"))
        found = self.windrow("check", path)
        self.assertEqual(found.returncode, 78)
        self.assertIn("did you mean 'allowed_lateness'?", found.stderr)
        self.assertIn(":8:42: error[E100]", found.stderr)
        as_json = json.loads(self.windrow("check", "--json", path).stdout)
        self.assertIn("E100", [finding["code"] for finding in as_json])
        self.assertEqual(self.windrow("run", path).returncode, 78)
        self.assertEqual(self.windrow("explain", path).returncode, 78)

    def test_check_and_explain_read_stdin_and_accept_the_examples(self):
        self.windrow("gen", "pageviews", "--events", 1000, "--out", "data")
        env = {"WINDROW_INPUT": str(self.path / "data/pageviews-*.ndjson")}
        for path in sorted(EXAMPLES.glob("*.yaml")):
            checked = self.windrow("check", "-", stdin=path.read_text(), env=env)
            self.assertEqual(checked.returncode, 0, checked.stderr)
            explained = self.windrow("explain", "-", stdin=path.read_text(), env=env)
            self.assertIn("Combine", explained.stdout)
            json.loads(self.windrow("explain", "--json", path, env=env).stdout)
            self.assertIn("digraph", self.windrow("explain", "--format", "dot", path, env=env).stdout)

    def test_explain_says_what_a_step_costs_and_where_it_runs(self):
        path = self.job(GENERATE)
        plan = {part["name"]: part for part in json.loads(self.windrow("explain", "--json", path).stdout)}
        step = plan["PerPage"]
        self.assertTrue(step["device"].startswith("cpu: to read a row of JSON costs more than to fold it into 1 window;"))
        self.assertGreaterEqual(step["record_bytes"], 16)
        self.assertGreater(step["record_bytes_max"], step["record_bytes"])
        self.assertIn(f"{step['record_bytes']} bytes per key and window", step["state"])
        self.assertNotIn("device", plan["Save"])
        # More state, more bytes; a row id that may be taken back costs, too.
        early = self.job(GENERATE.replace("allowed_lateness: 10m", "trigger: {after_end_of_window: {early_firings: "
                                          "{after_processing_time: 1m}, late_firings: {element_count: 1}}}, "
                                          "allowed_lateness: 10m"))
        other = json.loads(self.windrow("explain", "--json", early).stdout)[1]
        self.assertGreater(other["record_bytes"], step["record_bytes"])
        replaced = json.loads(self.windrow("explain", "--json", EXAMPLES / "sessions.yaml").stdout)
        self.assertGreater(replaced[1]["row_out_bytes_max"], 0)
        self.assertEqual(replaced[2]["row_out_bytes_max"], 0)
        sliding = "{type: sliding, size: 1h, period: 25m"
        told = self.windrow("explain", self.job(GENERATE.replace("{type: fixed, size: 5m", sliding))).stdout
        self.assertIn("a row is in 3 windows, which share slices: it has one record until they end", told)
        self.assertIn("bytes per key and slice, or window that has ended, ", told)
        self.assertIn("cpu: to read a row of JSON costs more than to fold it, once for its 3 windows", told)
        apart = self.job(GENERATE.replace("{type: fixed, size: 5m", sliding + ", trigger: always"))
        self.assertIn("a row is in 3 windows, each with a record of its own: the trigger may fire before a window ends",
                      self.windrow("explain", apart).stdout)
        asked = self.windrow("explain", path, "--set", "device=cpu")
        self.assertIn("cpu: the file or the command asks for it", asked.stdout)

    def test_what_is_not_there_is_refused_by_name(self):
        self.assertEqual(self.windrow("run", "nowhere.yaml").returncode, 78)

    def test_secrets_of_consumer_config_reach_the_client(self):
        job = ("pipeline: {type: chain, transforms: [{type: ReadFromKafka, config: {topic: t, "
               "bootstrap_servers: 'localhost:1', consumer_config: {security.protocol: {env: P}}}}, "
               "{type: WriteToJson, config: {path: out, write_mode: append}}]}")
        self.assertEqual(self.windrow("check", "-", stdin=job).returncode, 0)
        refused = self.windrow("run", "-", stdin=job, env={"P": "smoke-signals"})
        self.assertEqual(refused.returncode, 78, refused.stderr)
        self.assertIn("key=security.protocol", refused.stderr)

    def test_a_bounded_job_gives_the_truth(self):
        self.windrow("gen", "pageviews", "--seed", 11, "--events", 20000, "--out", "data", "--truth",
                     "truth.json", "--reading", "whole")
        truth = json.loads((self.path / "truth.json").read_text())
        done = self.windrow("run", "--json", self.job(COUNTS, input=self.path / "data/pageviews-*.ndjson"))
        self.assertEqual(done.returncode, 0, done.stderr)
        summary = json.loads(done.stdout.splitlines()[-1])
        self.assertTrue(summary["laws_hold"])
        self.assertEqual(summary["sources"][0]["read"], truth["lines"])
        self.assertEqual(summary["sources"][0]["rejected"], truth["truncated"])
        self.assertEqual(self.rows("SELECT window_start, url, views FROM views ORDER BY 1, 2"),
                         sorted((r["window_start"], r["url"], r["views"]) for r in truth["views"]))
        bad = [json.loads(line) for line in (self.path / "bad.ndjson").read_text().splitlines()]
        self.assertEqual(len(bad), truth["truncated"])

    def test_a_dead_letter_names_its_file_and_its_place_there(self):
        self.file("a.ndjson", '{"ts": 1, "url": "/"}\nbad\n')
        self.file("b.ndjson", '{"ts": 2, "url": "/"}\n\nworse\n')
        done = self.windrow("run", self.job(COUNTS, input="?.ndjson"))
        self.assertEqual(done.returncode, 0, done.stderr)
        bad = [json.loads(line) for line in (self.path / "bad.ndjson").read_text().splitlines()]
        self.assertEqual([(row["source"], row["offset"]) for row in bad], [("a.ndjson", 22), ("b.ndjson", 23)])
        self.assertEqual([row["id"] for row in bad], ["a.ndjson|0|22|0|%~", "b.ndjson|0|23|0|%~"])

    def test_input_replaces_the_source_until_its_end(self):
        self.windrow("gen", "pageviews", "--seed", 12, "--events", 3000, "--out", "data", "--truth",
                     "truth.json", "--reading", "whole")
        path = self.job(GENERATE.replace(", watermark: {max_out_of_orderness: 30s}", ""))
        done = self.windrow("run", path, "--input", self.path / "data/pageviews-*.ndjson", "--until-eof")
        self.assertEqual(done.returncode, 0, done.stderr)
        truth = json.loads((self.path / "truth.json").read_text())
        self.assertEqual(self.rows("SELECT count(*), sum(views) FROM views"),
                         [(len(truth["views"]), truth["accepted"])])

    def test_rows_that_only_the_run_sees_show_a_missing_unit(self):
        job = self.file("job.yaml", """
pipeline:
  type: chain
  transforms:
    - type: ReadFromKafka
      config:
        {topic: t, bootstrap_servers: "localhost:1", format: JSON,
         schema: '{"type": "object", "properties": {"ts": {"type": "integer"}}}'}
    - {type: AssignTimestamps, config: {timestamp: ts}}
    - {type: WriteToJson, config: {path: "-", write_mode: append}}
""")
        self.assertNotIn("W218", self.windrow("check", job).stderr)
        done = self.windrow("run", job, "--input", self.file("in.ndjson", '{"ts": 1760000000000}\n'), "--until-eof")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"job\.yaml:9:7: warning\[W218\] 'AssignTimestamps': .*look like ms")

    def test_over_the_memory_limit_new_keys_are_dead_letters_and_the_run_goes_on(self):
        self.windrow("gen", "pageviews", "--seed", 13, "--events", 20000, "--out", "data")
        text = COUNTS.replace("{group_by: url,", "{error_handling: {output: bad}, group_by: url,").replace(
            "input: Views.bad", "input: [Views.bad, PerPage.bad]")
        path = self.file("job.yaml", text % {"input": self.path / "data/pageviews-*.ndjson",
                                             "database": self.path / "out.db", "bad": self.path / "bad.ndjson"})
        done = self.windrow("run", path, "--set", "memory_limit=400KiB", "--set", "batch_rows_max=1000", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        summary = json.loads(done.stdout.splitlines()[-1])
        step = summary["steps"][0]
        self.assertTrue(summary["laws_hold"])
        self.assertGreater(step["refused_new_keys"], 0)
        bad = [json.loads(line) for line in (self.path / "bad.ndjson").read_text().splitlines()]
        refused = [row for row in bad if row["reason"] == "memory_limit"]
        self.assertEqual(len(refused), step["refused_new_keys"])
        self.assertEqual(self.rows("SELECT sum(views) FROM views"), [(step["aggregated"],)])
        said = self.windrow("run", path, "--set", "memory_limit=1", "--set", "batch_rows_max=1000").stderr
        self.assertIn("rows with new keys set aside: memory_limit", said)
        # Every record is in a table or in a dead letter.
        self.assertEqual(step["aggregated"] + len(bad), summary["sources"][0]["read"])

    def stopped(self, *words):
        with subprocess.Popen([cli_case.windrow, "run", *map(str, words)], cwd=self.path, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            time.sleep(READING_S)
            running.send_signal(signal.SIGTERM)
            out, err = running.communicate(timeout=30)
        return running.returncode, out, err

    def test_a_stop_fires_nothing_and_a_drain_fires_all(self):
        code, _, err = self.stopped(self.job(GENERATE), "--set", "clock_rate=60")
        self.assertEqual(code, 0, err)
        self.assertIn("stopped", err)
        self.assertIn("no --state", err)
        self.assertEqual(self.rows("SELECT count(*) FROM views WHERE drained"), [(0,)])
        code, out, err = self.stopped(self.job(GENERATE), "--set", "clock_rate=60", "--drain", "--json")
        self.assertEqual(code, 0, err)
        step = json.loads(out.splitlines()[-1])["steps"][0]
        self.assertGreater(step["panes_on_time"], 0)
        self.assertGreater(self.rows("SELECT count(*) FROM views WHERE drained")[0][0], 0)

    def test_an_end_that_waits_for_a_locked_sink_says_so(self):
        self.windrow("gen", "pageviews", "--seed", 13, "--events", 1000, "--out", "data")
        path = self.file("job.yaml", COUNTS % {"input": self.path / "data/pageviews-*.ndjson",
                                               "database": self.path / "out.db", "bad": self.path / "bad.ndjson"})
        self.assertEqual(self.windrow("run", path).returncode, 0)
        with sqlite3.connect(self.path / "out.db", isolation_level=None) as locked:
            locked.execute("BEGIN EXCLUSIVE")
            with subprocess.Popen([cli_case.windrow, "run", path], cwd=self.path, text=True,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
                said = next((line for line in running.stderr if "waits: sink Save" in line), "")
                locked.execute("ROLLBACK")
                running.communicate(timeout=60)
        self.assertIn("waits: sink Save", said)
        self.assertEqual(running.returncode, 0)

    # A run under --drain whose sink is locked: it reads, is asked to stop, and cannot.
    def unstoppable(self, *words):
        text = GENERATE.replace("allowed_lateness: 10m", "trigger: {after_end_of_window: {early_firings: "
                                "{element_count: 1}, late_firings: {element_count: 1}}}, allowed_lateness: 10m")
        running = subprocess.Popen([cli_case.windrow, "run", str(self.job(text)), "--drain", *map(str, words)], text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.path)
        self.addCleanup(running.stderr.close)
        self.addCleanup(running.stdout.close)
        self.addCleanup(running.kill)
        self.until(lambda: (self.path / "out.db").exists() and self.rows(
            "SELECT 1 FROM sqlite_master WHERE name = 'views'") and self.rows("SELECT 1 FROM views LIMIT 1"))
        locked = sqlite3.connect(self.path / "out.db", timeout=60, isolation_level=None)
        self.addCleanup(locked.close)
        locked.execute("BEGIN EXCLUSIVE")
        running.send_signal(signal.SIGTERM)
        for line in running.stderr:
            if "stopping" in line:
                return running
        self.fail("it did not say that it stops")

    def until(self, holds):
        deadline = time.monotonic() + 60
        while not holds():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_a_stop_that_takes_too_long_ends_with_75(self):
        running = self.unstoppable("--shutdown-limit", "500ms")
        self.assertEqual(running.wait(timeout=60), 75)
        self.assertIn("stopping took longer than --shutdown-limit: limit=500ms", running.stderr.read())

    def test_a_second_signal_ends_at_once(self):
        running = self.unstoppable("--shutdown-limit", "10m")
        running.send_signal(signal.SIGINT)
        self.assertEqual(running.wait(timeout=60), 128 + signal.SIGINT)

    def test_a_broker_that_cannot_be_reached_is_named_while_it_is_tried(self):
        with subprocess.Popen([cli_case.windrow, "run", str(EXAMPLES / "pageviews.yaml")], cwd=self.path,
                              env={**os.environ, "BOOTSTRAP_SERVERS": "nowhere.invalid:9092"},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
            waits = next(line for line in running.stderr if "waits:" in line)
            running.kill()
        self.assertIn("nowhere.invalid:9092", waits)

    def test_a_shutdown_limit_is_a_duration(self):
        for wrong in ("soon", "30x", "-1s"):
            refused = self.windrow("run", "job.yaml", "--shutdown-limit", wrong)
            self.assertEqual(refused.returncode, 64, refused.stderr)
            self.assertIn("--shutdown-limit", refused.stderr)

    def test_a_state_directory_goes_on_after_a_stop_and_after_a_kill(self):
        path = self.job(GENERATE)
        state = self.path / "state"
        words = (path, "--set", "clock_rate=60", "--state", state, "--json")
        read = []
        database, aside = self.path / "out.db", self.path / "aside.db"
        for attempt in range(2):
            if attempt == 1:  # a start that fails before its first batch costs nothing
                database.rename(aside)
                database.mkdir()
                failed = self.windrow("run", *words)
                self.assertEqual(failed.returncode, 69, failed.stderr)
                database.rmdir()
                aside.rename(database)
            code, out, err = self.stopped(*words)
            self.assertEqual(code, 0, err)
            self.assertNotIn("no --state", err)
            self.assertNotIn("the state is saved", err)  # --json: results only
            summary = json.loads(out.splitlines()[-1])
            self.assertTrue(summary["laws_hold"])
            read.append(summary["sources"][0]["read"])
        self.assertGreater(read[1], read[0])
        with subprocess.Popen([cli_case.windrow, "run", *map(str, words)], cwd=self.path,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
            time.sleep(READING_S)
            running.kill()
            running.communicate()
        code, out, err = self.stopped(*words)
        self.assertEqual(code, 0, err)
        self.assertRegex(err, r"state: goes on: snapshot=\d+ bytes=\d+ plans=[1-9]")
        self.assertTrue(json.loads(out.splitlines()[-1])["laws_hold"])
        self.assertGreater(json.loads(out.splitlines()[-1])["sources"][0]["read"], read[1])

    def test_a_saved_state_drains_at_once_and_is_over_then(self):
        path = self.job(GENERATE)
        state = self.path / "state"
        words = (path, "--set", "clock_rate=60", "--state", state)
        code, _, err = self.stopped(*words)
        self.assertEqual(code, 0, err)
        self.assertIn(f"the state is saved, and totals count from its first start: directory={state}", err)
        drained = self.windrow("run", *words, "--drain", "--json")
        self.assertEqual(drained.returncode, 0, drained.stderr)
        self.assertGreater(json.loads(drained.stdout.splitlines()[-1])["steps"][0]["panes_on_time"], 0)
        self.assertEqual(self.windrow("run", *words).returncode, 78)

    def test_the_tests_of_a_file_pass_and_fail(self):
        good = self.windrow("test", self.job(TESTED, second=4))
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.assertIn("1 passed, 0 failed", good.stdout)
        bad = self.windrow("test", self.job(TESTED, second=5))
        self.assertEqual(bad.returncode, 1, bad.stdout + bad.stderr)
        self.assertIn("0 passed, 1 failed", bad.stdout)

    def test_transcripts_of_a_file_pass_and_fail_by_line(self):
        for name in ("pageviews.yaml", "sessions.yaml"):
            text = (EXAMPLES / name).read_text()
            good = self.windrow("test", EXAMPLES / name)
            self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
            self.assertIn(f"passed {EXAMPLES / name}:", good.stdout)
            path = self.file(name, text.replace("{views: 3}", "{views: 4}"))
            bad = self.windrow("test", path)
            self.assertEqual(bad.returncode, 1, bad.stdout + bad.stderr)
            line = 1 + text[:text.index("{views: 3}")].count("\n")
            line -= 0 if name == "pageviews.yaml" else 1  # the list of panes begins a line above
            self.assertIn(f"{path}:{line}: Unmatched output", bad.stdout)
            self.assertIn("views=3", bad.stdout)

    def transcript(self, *actions, source="Create, config: {elements: [{n: 1}]}"):
        text = ("pipeline:\n  transforms:\n"
                "    - {type: %s, name: In}\n"
                "    - {type: Combine, name: Sum, input: In, windowing: {type: fixed, size: 10s}, "
                "config: {group_by: [], combine: {total: {value: n, fn: sum}}}}\n"
                "    - {type: WriteToJson, name: Out, input: Sum, config: {path: nowhere, write_mode: append}}\n"
                "tests:\n  - name: one\n    transcript:\n" % source)
        return self.windrow("test", self.file("job.yaml", text + "".join(f"      - {a}\n" for a in actions)))

    def test_a_transcript_scripts_records_of_the_source(self):
        done = self.transcript("input: [{n: 2, ts: 3}, {n: 4, ts: 9.999999}, {n: 8, ts: 10}]", "watermark: 10",
                               "expect: [{interval: [0, 10], result: {total: 6}}]", "restart:", "end: {}",
                               "expect: [{interval: [10, 20], result: {total: 8}, timing: ON_TIME}]")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # Bytes that the source's decoder refuses reach no step; a record without `ts` comes now.
        done = self.transcript("clock: 14", "input: ['{\"n\": 1', {n: 2}, '']", "end: {}",
                               "expect: [{interval: [10, 20], result: {total: 2}}]")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_bad_transcripts_are_refused_by_line(self):
        wrong = self.transcript("inptu: [{n: 1}]", "expect: [{timng: LATE}, {interval: [1]}]")
        self.assertEqual(wrong.returncode, 78)
        for place, word in (("9:9", "'input'"), ("10:19", "'timing'"), ("10:44", "two times")):
            self.assertIn(f"job.yaml:{place}: error", wrong.stderr)
            self.assertIn(word, wrong.stderr)
        for at, text, action in ((9, "not a time: soon", "watermark: soon"),
                                 (9, "no step is called 'Smu', did you mean 'Sum'?", "expect: [{step: Smu}]"),
                                 (9, "records are a list", "deliver: {p0: 1}")):
            failed = self.transcript(action)
            self.assertEqual(failed.returncode, 1, failed.stdout + failed.stderr)
            self.assertIn(f"job.yaml:{at}: ", failed.stdout)
            self.assertIn(text, failed.stdout)
        left = self.transcript("input: [{n: 1, ts: 1}]", "watermark: 10", "watermark: 20")
        self.assertIn("job.yaml:10: Unexpected output: Sum", left.stdout)
        both = self.transcript("end: {}\n    mock_outputs: []")
        self.assertEqual(both.returncode, 78)
        self.assertIn("job.yaml:10:5: error[E141]", both.stderr)

    def test_lists_of_pipelines_are_tests_and_nothing_else(self):
        root = pathlib.Path(__file__).parent / "beam_yaml"
        good = self.windrow("test", *sorted(root.glob("*.yaml")))
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.assertIn("10 passed, 0 failed", good.stdout)
        wrong = (root / "windowing.yaml").read_text().replace("{n: 5}", "{n: 6}", 1)
        bad = self.windrow("test", "-", stdin=wrong)
        self.assertEqual(bad.returncode, 1, bad.stdout + bad.stderr)
        self.assertIn("5 passed, 1 failed", bad.stdout)
        for verb in ("check", "run", "explain"):
            refused = self.windrow(verb, root / "windowing.yaml")
            self.assertEqual(refused.returncode, 78, refused.stdout + refused.stderr)
            self.assertIn("windowing.yaml:3:1: error[E101]", refused.stderr)

    def test_a_pipeline_that_asserts_is_a_test_by_itself(self):
        text = ("pipeline: {type: chain, transforms: [{type: Create, config: {elements: [1]}}, "
                "{type: AssertEqual, config: {elements: [%d]}}]}")
        self.assertEqual(self.windrow("test", "-", stdin=text % 1).returncode, 0)
        self.assertEqual(self.windrow("test", "-", stdin=text % 2).returncode, 1)

    def test_the_demo_matches_the_truth(self):
        done = self.windrow("demo", "--fast", "--events", 20000, "--dir", self.path / "demo")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("matches the truth: yes", done.stdout)

    def test_the_demo_says_what_it_compared(self):
        done = self.windrow("demo", "--fast", "--events", 3000, "--dir", self.path / "demo", "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        verdict = json.loads(done.stdout)
        self.assertTrue(verdict["matches_the_truth"])
        self.assertEqual([t["table"] for t in verdict["tables"]],
                         ["views_5m", "top_pages_5m", "sessions", "sessions_5m"])
        self.assertTrue(all(t["rows"] > 0 and t["differences"] == 0 for t in verdict["tables"]))


if __name__ == "__main__":
    cli_case.main()
