"""Killed anywhere, started again: the tables are those of a run without a failure.

Usage: crash_test.py PATH-OF-WINDROW

Batches of the starts after the first have other borders, so that only a recorded plan gives the
panes that are out again.  Every crash point that the command names (WINDROW_CRASH=list) is hit, as often as a run of this job
comes there: at its first, second and tenth pass and at one drawn by a seed, and once more during
the recovery.  The history of each table is kept by triggers of the database: no version and, under
ACCUMULATING, no count of a row goes back.
"""
import json
import os
import random
import shutil
import sqlite3
import subprocess
import time

import cli_case
from cli_case import CliCase

WINDOWS = {
    "fixed": "{type: fixed, size: 30m, allowed_lateness: 4h, accumulation_mode: accumulating, trigger:"
             " {after_end_of_window: {early_firings: {element_count: 2}, late_firings: {element_count: 1}}}}",
    "sliding": "{type: sliding, size: 10m, period: 5m, allowed_lateness: 4h, accumulation_mode: accumulating}",
    "sessions": "{type: sessions, gap: 10m, allowed_lateness: 4h, accumulation_mode: accumulating}",
}
JOB = """
pipeline:
  transforms:
    - type: ReadFromJson
      name: Views
      config:
        path: views.ndjson
        error_handling: {output: bad}
        schema: {type: object, required: [user_id, ts], properties: {user_id: {type: string}, ts: {type: integer}}}
    - type: AssignTimestamps
      name: EventTime
      input: Views
      config: {timestamp: ts, unit: ms, watermark: {max_out_of_orderness: 30s}}
""" + "".join(f"""
    - type: Combine
      name: {kind}
      input: EventTime
      windowing: {windowing}
      config: {{group_by: user_id, combine: {{views: {{value: user_id, fn: count}}}}}}
    - type: WriteToSqlite
      name: Save_{kind}
      input: {kind}
      config: {{path: out.db, table: {kind}, key: [window_start, user_id], create_table: true}}
""" for kind, windowing in WINDOWS.items()) + """
    - {type: WriteToJson, name: Files, input: fixed, config: {path: files/, key: [window_start, user_id]}}
    - type: WriteToSqlite
      name: SaveBad
      input: Views.bad
      config: {path: out.db, table: bad, write_mode: append}
options:
  windrow: {batch_rows_max: 300, snapshot_bytes: 120000, threads: 2}
"""
# Which sessions came and went before they merged is a matter of borders.
FINAL = {kind: f"SELECT id, views, window_end FROM {kind} WHERE NOT deleted ORDER BY id" for kind in WINDOWS}
FINAL["bad"] = "SELECT id, element, reason, partition, offset FROM bad ORDER BY id"
# Passes of a point at which the process is killed; a fourth is drawn.
PASSES = (1, 2, 10)


def views(chance):
    """6,000 views of 400 users in 3.3 hours: out of order, some late, some too late, some broken."""
    for i in range(6000):
        if i % 500 == 77:
            yield '{"user_id": \n'
        late = chance.choice((300, 900, 3000)) if chance.random() < 0.02 else chance.random() * 25
        yield f'{{"user_id": "u{chance.randrange(400)}", "ts": {int((36000 + 2 * i - late) * 1000)}}}\n'


class CrashTest(CliCase):
    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(20261130)

    def setUp(self):
        super().setUp()
        self.file("job.yaml", JOB)
        self.file("views.ndjson", "".join(views(random.Random(1))))
        first = self.run_to_the_end()
        self.wanted = self.tables()
        self.assertGreater(len(self.wanted["sessions"]), 1000, first.stderr)
        self.assertGreater(len(self.wanted["bad"]), 3)
        self.assertEqual(self.backward_steps(), [])

    def fresh(self):
        shutil.rmtree(self.path / "state", ignore_errors=True)
        shutil.rmtree(self.path / "files", ignore_errors=True)
        for name in ("out.db", "out.db-wal", "out.db-shm"):
            (self.path / name).unlink(missing_ok=True)
        database = sqlite3.connect(self.path / "out.db")
        for kind in WINDOWS:
            database.execute(
                f"CREATE TABLE {kind} (id TEXT PRIMARY KEY, window_start INTEGER NOT NULL, window_end INTEGER, user_id TEXT,"
                " views INTEGER, pane_version INTEGER, pane_index INTEGER, pane_timing TEXT, is_last INTEGER,"
                " deleted INTEGER, drained INTEGER) WITHOUT ROWID")
            database.execute(f"CREATE TABLE {kind}_history (id, version_before, version, views_before, views)")
            database.execute(
                f"CREATE TRIGGER {kind}_updates AFTER UPDATE ON {kind} BEGIN INSERT INTO {kind}_history"
                " VALUES (old.id, old.pane_version, new.pane_version, old.views, new.views); END")
        # A repeated dead letter is told by its id.
        database.execute("CREATE TABLE bad (id TEXT PRIMARY KEY ON CONFLICT REPLACE, element, msg, reason, source,"
                         " partition, offset, line, window_start, window_end, pane_version)")
        database.commit()
        database.close()

    def run_to_the_end(self):
        self.fresh()
        done = self.windrow("run", "job.yaml", "--state", "state")
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def ask(self, query):
        database = sqlite3.connect(self.path / "out.db", timeout=60)
        rows = database.execute(query).fetchall()
        database.close()
        return rows

    def tables(self):
        return {name: self.ask(query) for name, query in FINAL.items()} | {"files": self.newest_lines()}

    def newest_lines(self):
        """Of the files of batches, per window and user the line of the highest version; no line is there twice."""
        newest, seen = {}, set()
        for path in (self.path / "files").glob("*.ndjson"):
            for line in path.read_text().splitlines():
                row = json.loads(line)
                self.assertNotIn(row["id"], seen)
                seen.add(row["id"])
                key = (row["window_start"], row["user_id"])
                newest[key] = max(newest.get(key, (0, 0)), (row["pane_version"], row["views"]))
        return sorted((key, views) for key, (_, views) in newest.items())

    def backward_steps(self):
        return [row for kind in WINDOWS for row in self.ask(
            f"SELECT * FROM {kind}_history WHERE version < version_before OR (views < views_before"
            # a session whose views moved into another is taken back, and may come again
            + (" AND 0)" if kind == "sessions" else ")"))]

    def expect_tables(self, found, how):
        for name, rows in self.wanted.items():
            if found[name] != rows:  # unittest's own difference of so many rows takes minutes
                self.fail(f"{how}: {name}: {str(set(found[name]) ^ set(rows))[:500]}")

    def crash(self, order):
        """One start that is to be killed; was it?"""
        rows = self.random.choice((300, 211))
        killed = self.windrow("run", "job.yaml", "--state", "state", "--set",
                              f"batch_rows_max={rows}", env={"WINDROW_CRASH": order})
        self.assertIn(killed.returncode, (0, -9), f"{order}: {killed.stderr}")
        return killed.returncode == -9

    def expect_recovery(self, how):
        last = self.windrow("run", "job.yaml", "--state", "state", "--set", "batch_rows_max=257")
        self.assertEqual(last.returncode, 0, f"{how}: {last.stderr}")
        self.assertNotIn("law", last.stderr, how)
        self.assertEqual(self.backward_steps(), [], how)
        self.expect_tables(self.tables(), how)
        self.assertLessEqual(len(os.listdir(self.path / "state/snapshot")), 2, how)

    def test_killed_at_every_point(self):
        points = self.windrow("--help", env={"WINDROW_CRASH": "list"}).stdout.split()
        self.assertGreater(len(points), 15)
        hits, never = 0, []
        for point in points:
            before = hits
            for hit in (*PASSES, self.random.randint(3, 40)):
                self.fresh()
                order = f"{point}:{hit}"
                if point.startswith("restart.") and point != "restart.locked":
                    if not self.crash("sink.acked:40"):
                        continue
                if self.crash(order):
                    hits += 1
                    self.expect_recovery(order)
            if hits == before and not point.startswith(("kafka.", "spool.")):  # of other jobs
                never.append(point)
        self.assertEqual(never, [], "points that no run came to")
        print(f"{hits} kills at {len(points)} points")

    def test_killed_again_during_recovery(self):
        kills = 0
        for again in ("restart.locked:1", "restart.loaded:1", "restart.replayed.partial:2", "sink.begin:3",
                      "plan.tmp:1", "snapshot.durable:1"):
            self.fresh()
            self.assertTrue(self.crash("batch.fired:9"))
            for order in (again, again, "sink.sent:5"):
                kills += self.crash(order)
            self.expect_recovery(again)
        self.assertGreaterEqual(kills, 12)

    def test_a_spool_keeps_standard_input(self):
        """Each process is killed somewhere behind its spool; the next one goes on with the same pipe."""
        job = JOB.replace("path: views.ndjson", 'path: "-"\n        spool: spool')
        self.file("stdin.yaml", job)
        lines = (self.path / "views.ndjson").read_text().splitlines(keepends=True)
        chunks = ["".join(lines[i:i + 40]) for i in range(0, len(lines), 40)]  # whole lines in one write
        self.fresh()
        orders = ["spool.durable:1", "spool.durable:4", "plan.tmp:3", "plan.durable:2", "batch.fired:3", "sink.begin:9",
                  "restart.replayed.partial:1", "sink.acked:4", "snapshot.durable:1", "poll.done:5"]
        reader, writer = os.pipe()
        os.set_blocking(writer, False)  # a process that is dead reads nothing
        start = ["run", "stdin.yaml", "--state", "state", "--set", "snapshot_bytes=20KiB"]
        for order in orders:
            process = subprocess.Popen([cli_case.windrow, *start], stdin=reader, cwd=self.path, stderr=subprocess.PIPE,
                                       env={**os.environ, "WINDROW_CRASH": order})
            while process.poll() is None and len(chunks) > 20:
                try:
                    os.write(writer, chunks[0].encode())
                    chunks.pop(0)
                except BlockingIOError:
                    pass
                time.sleep(0.01)
            self.assertGreater(len(chunks), 20, f"{order} was never passed")
            self.assertEqual(process.wait(30), -9, process.stderr.read())
            process.stderr.close()
        last = subprocess.Popen([cli_case.windrow, *start], stdin=reader, cwd=self.path, stderr=subprocess.PIPE, text=True)
        os.close(reader)
        os.set_blocking(writer, True)
        for chunk in chunks:
            os.write(writer, chunk.encode())
        os.close(writer)
        errors = last.communicate(timeout=60)[1]
        self.assertEqual(last.returncode, 0, errors)
        self.assertEqual(self.backward_steps(), [])
        found = self.tables()
        self.assertEqual(len(found["bad"]), len(self.wanted["bad"]))
        found["bad"] = self.wanted["bad"]  # their ids name the spool
        self.expect_tables(found, errors)
        self.assertIn("6,012 read", errors)


if __name__ == "__main__":
    cli_case.main()
