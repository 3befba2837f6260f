"""What the tests of recovery share: a job with three kinds of windows, whose tables remember every update."""
import json
import os
import random
import shutil
import sqlite3

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


def views(chance, count):
    """Views of 400 users, one every 2 s: out of order, some late, some broken."""
    for i in range(count):
        if i % 500 == 77:
            yield '{"user_id": \n'
        late = chance.choice((300, 900, 3000)) if chance.random() < 0.02 else chance.random() * 25
        yield f'{{"user_id": "u{chance.randrange(400)}", "ts": {int((36000 + 2 * i - late) * 1000)}}}\n'


class DurableCase(CliCase):
    VIEWS = 6000
    job = JOB

    def setUp(self):
        super().setUp()
        self.file("job.yaml", self.job)
        self.file("views.ndjson", "".join(views(random.Random(1), self.VIEWS)))
        first = self.run_to_the_end()
        self.wanted = self.tables()
        self.assertGreater(len(self.wanted["sessions"]), self.VIEWS // 6, first.stderr)
        self.assertGreater(len(self.wanted["bad"]), self.VIEWS // 600)
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

    def expect_recovery(self, how):
        last = self.windrow("run", "job.yaml", "--state", "state", "--set", "batch_rows_max=257")
        self.assertEqual(last.returncode, 0, f"{how}: {last.stderr}")
        self.assertNotIn("law", last.stderr, how)
        self.assertEqual(self.backward_steps(), [], how)
        self.expect_tables(self.tables(), how)
        self.assertLessEqual(len(os.listdir(self.path / "state/snapshot")), 3, how)
