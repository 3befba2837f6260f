"""Rows that real tables refuse: in the error output of their sink, from outside.

Usage: refused_rows_test.py PATH-OF-WINDROW
"""
import json
import sqlite3
import subprocess
import time

import cli_case
from cli_case import CliCase

# Sums go into a table of small totals, rows into a table of named users; both refuse some.
JOB = """
pipeline:
  transforms:
    - type: ReadFromJson
      name: In
      config: {path: "-", schema: '{"type": "object", "properties":
        {"user": {"type": "string"}, "ts": {"type": "integer"}, "n": {"type": "integer"}}}'}
    - {type: AssignTimestamps, name: At, input: In, config: {timestamp: ts, unit: s}}
    - type: Combine
      name: Sums
      input: At
      windowing: {type: fixed, size: 10s}
      config: {group_by: user, combine: {total: {value: n, fn: sum}}}
    - {type: WriteToSqlite, name: Save, input: Sums, config: {path: sums.db, table: sums, error_handling: {output: bad}}}
    - type: WriteToSqlite
      name: Raw
      input: At
      config: {path: raw.db, table: raw, write_mode: append, error_handling: {output: bad}}
    - type: WriteToSqlite
      name: Errors
      input: [Save.bad, Raw.bad]
      config: {path: errors.db, table: errors, create_table: true, write_mode: append, error_handling: {output: worse}}
    - {type: Filter, name: Raws, input: Raw.bad, config: {keep: 'source == "-"'}}
    - {type: WriteToJson, name: Lines, input: Raws, config: {path: bad.ndjson}}
    - {type: WriteToJson, name: Worse, input: Errors.worse, config: {path: worse.ndjson}}
    - {type: WriteToJson, name: All, input: At, config: {path: all.ndjson}}
tests:
  - name: what is refused is mocked
    mock_inputs: [{name: Raws, elements: [{element: "{}", source: "-"}, {element: "[]", source: topic}]}]
    expected_inputs: [{name: Lines, elements: [{element: "{}", source: "-"}]}]
%s"""
SUMS = ("CREATE TABLE sums (id TEXT PRIMARY KEY, window_start, window_end, user, total CHECK (total < 100), "
        "pane_version INTEGER, pane_index, pane_timing, is_last, deleted, drained)")
RAW = "CREATE TABLE raw (user TEXT NOT NULL, ts, n)"


class RefusedRowsTest(CliCase):
    def setUp(self):
        super().setUp()
        self.ask("sums.db", SUMS)
        self.ask("raw.db", RAW)
        self.job = self.file("job.yaml", JOB % "")

    def ask(self, name, query):
        database = sqlite3.connect(self.path / name, timeout=60)
        with database:
            rows = database.execute(query).fetchall()
        database.close()
        return rows

    def lines(self, name):
        path = self.path / name
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def test_a_row_that_a_constraint_refuses_is_in_the_error_table_and_in_the_lines(self):
        done = self.windrow("run", "--json", self.job, stdin='{"user":"a","ts":1,"n":2}\n{"user":"b","ts":2,"n":300}\n'
                            '{"ts":3,"n":1}\n')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.ask("sums.db", "SELECT id, total FROM sums ORDER BY total"), [("0|%~", 1), ("0|a", 2)])
        self.assertEqual(self.ask("raw.db", "SELECT user FROM raw"), [("a",), ("b",)])
        sums, raw = self.ask("errors.db", "SELECT reason, msg, source, window_start, id, element FROM errors")
        self.assertEqual((sums[0], sums[2], sums[3]), ("dead_letter", None, 0))
        self.assertIn("CHECK constraint failed: total < 100", sums[1])
        self.assertRegex(sums[4], r"^Save\|0\|b\|\d+$")
        self.assertEqual((json.loads(sums[5])["user"], json.loads(sums[5])["total"]), ("b", 300))
        self.assertIn("NOT NULL constraint failed: raw.user", raw[1])
        self.assertEqual(json.loads(raw[5]), {"user": None, "ts": 3, "n": 1})
        line, = self.lines("bad.ndjson")
        self.assertEqual((line["source"], line["offset"], line["id"]), ("-", 54, raw[4]))
        self.assertEqual(self.lines("worse.ndjson"), [])
        summary = json.loads(done.stdout.splitlines()[-1])
        self.assertTrue(summary["laws_hold"])
        by_name = {sink["name"]: sink for sink in summary["sinks"]}
        for name, taken, rows, dead in (("Save", 3, 2, 1), ("Raw", 3, 2, 1), ("Errors", 2, 2, 0), ("Lines", 1, 1, 0)):
            sink = by_name[name]
            self.assertEqual((sink["taken"], sink["rows"], sink["dead_letters"]), (taken, rows, dead), name)

    # The table of errors names a row once, and refuses what it knows.
    def test_a_table_of_errors_may_refuse_too(self):
        columns = "element, msg, reason, source, partition, offset, line, window_start, window_end, pane_version"
        self.ask("errors.db", f"CREATE TABLE errors ({columns}, id TEXT PRIMARY KEY)")
        for _ in range(2):
            done = self.windrow("run", self.job, stdin='{"ts":3,"n":1}\n')
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.ask("errors.db", "SELECT id FROM errors"), [("Raw|-|0|0|%~|%~",)])
        worse, = self.lines("worse.ndjson")
        self.assertIn("UNIQUE constraint failed: errors.id", worse["msg"])
        self.assertEqual(json.loads(worse["element"])["id"], "Raw|-|0|0|%~|%~")
        self.assertIn("Errors: 1 rows = 0 written + 0 superseded + 1 dead letters", done.stderr)
        self.assertRegex(done.stderr, "Errors: the first dead letter: .* constraint failed")

    def until(self, holds, running):
        deadline = time.monotonic() + 60
        while not holds():
            self.assertIsNone(running.poll())
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def test_while_a_sink_is_locked_its_readers_wait_and_nobody_else(self):
        with subprocess.Popen([cli_case.windrow, "run", str(self.job)], text=True, cwd=self.path, stdin=subprocess.PIPE,
                              stderr=subprocess.PIPE) as running:
            self.addCleanup(running.kill)
            running.stdin.write('{"user":"a","ts":1,"n":2}\n')
            running.stdin.flush()
            self.until(lambda: self.ask("raw.db", "SELECT 1 FROM raw"), running)
            locked = sqlite3.connect(self.path / "raw.db", timeout=60, isolation_level=None)
            self.addCleanup(locked.close)
            locked.execute("BEGIN EXCLUSIVE")
            running.stdin.write('{"ts":2,"n":300}\n{"user":"c","ts":3,"n":1}\n')
            running.stdin.flush()
            self.until(lambda: len(self.lines("all.ndjson")) == 3, running)
            time.sleep(0.3)
            self.assertEqual(self.ask("errors.db", "SELECT count(*) FROM errors"), [(0,)])
            locked.execute("COMMIT")
            self.until(lambda: self.ask("errors.db", "SELECT 1 FROM errors"), running)
            _, err = running.communicate()
        self.assertEqual(running.returncode, 0, err)
        self.assertEqual(self.ask("errors.db", "SELECT element FROM errors WHERE source = '-'"),
                         [('{"user": null, "ts": 2, "n": 300}',)])
        self.assertEqual(self.ask("raw.db", "SELECT user FROM raw"), [("a",), ("c",)])

    def test_a_test_of_a_file_writes_to_no_sink(self):
        good = self.windrow("test", self.job)
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.job.write_text(JOB % '''
  - name: what is refused is not mocked
    mock_outputs: [{name: At, elements: [{user: a, ts: 1, n: 1}]}]
    expected_inputs: [{name: Lines, elements: []}]
''')
        bad = self.windrow("test", self.job)
        self.assertEqual(bad.returncode, 1, bad.stdout + bad.stderr)
        self.assertIn("a test writes to no sink, and what is expected reads what 'Raw' refuses", bad.stdout)
        self.assertEqual(self.ask("raw.db", "SELECT count(*) FROM raw"), [(0,)])


if __name__ == "__main__":
    cli_case.main()
