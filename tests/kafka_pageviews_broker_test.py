"""The page-view job from Kafka to Kafka on a real broker: what is left in its topics is SQLite's table.

Usage: kafka_broker.sh kafka_pageviews_broker_test.py PATH-OF-WINDROW
"""
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

WINDROW = ""
BROKER = os.environ["BOOTSTRAP_SERVERS"]  # set by kafka_broker.sh
EXAMPLE = pathlib.Path(__file__).resolve().parent.parent / "examples/pageviews-kafka.yaml"
TABLES = {"views_5m": "ViewsPerUrl", "top_pages_5m": "Top10"}
SAVE = """\
    - type: WriteToSqlite
      name: Sql_%s
      input: %s
      config: {path: out.db, table: %s, create_table: true, key: [window_start%s]}
"""


class KafkaPageviewsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.views = f"views-{time.time_ns()}"
        with tempfile.TemporaryDirectory() as made:
            subprocess.run([WINDROW, "gen", "pageviews", "--events", "30000", "--out", made], check=True,
                           capture_output=True, timeout=60)
            for partition, path in enumerate(sorted(pathlib.Path(made).glob("*.ndjson"))):
                subprocess.run(["kcat", "-q", "-b", BROKER, "-P", "-t", cls.views, "-p", str(partition)],
                               input=path.read_bytes() + b"no view\n", check=True, timeout=60)

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)
        self.run_name = f"run{time.time_ns()}"
        text = EXAMPLE.read_text()
        # The topic is read for some seconds, then it counts as ended; the same rows go into SQLite.
        text = text.replace("        auto_offset_reset_config: earliest\n",
                            "        auto_offset_reset_config: earliest\n        max_read_time_seconds: 6\n")
        saves = "".join(SAVE % (table, step, table, ", url" if table == "views_5m" else "")
                        for table, step in TABLES.items())
        text = text.replace("tests:\n", saves + "tests:\n")
        self.job = self.path / "job.yaml"
        self.job.write_text(text)

    def tearDown(self):
        self.directory.cleanup()

    def windrow(self, *words):
        env = {**os.environ, "TOPIC": self.views, "VIEWS_TOPIC": self.topic("views_5m"),
               "TOP_TOPIC": self.topic("top_pages_5m"), "BAD_TOPIC": self.topic("bad")}
        done = subprocess.run([WINDROW, "run", self.job, "--json", "--set", f"application_id={self.run_name}",
                               *map(str, words)], text=True, capture_output=True, timeout=120, cwd=self.path, env=env)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return {sink["name"]: sink for sink in json.loads(done.stdout)["sinks"]}

    def topic(self, name):
        return f"{self.run_name}-{name}"

    def messages(self, name):
        out = subprocess.run(["kcat", "-q", "-b", BROKER, "-C", "-e", "-t", self.topic(name), "-f", "%k\t%h\t%s\n",
                              "-X", "isolation.level=read_committed"], check=True, capture_output=True, text=True,
                             timeout=60).stdout
        return [line.split("\t", 2) for line in out.splitlines()]

    def rows(self, table):
        with sqlite3.connect(self.path / "out.db") as db:
            db.row_factory = sqlite3.Row
            return {row["id"]: dict(row) for row in db.execute(f"select * from {table}")}

    # The last message of each key; a list is text in SQLite, and a truth value 0 or 1.
    def compare(self, table):
        left = {}
        for key, header, value in self.messages(table):
            row = json.loads(value)
            self.assertEqual(key, row["id"])
            self.assertEqual(header, f"pane_version={row['pane_version']}")
            left[key] = {name: json.dumps(cell, separators=(",", ":")) if isinstance(cell, list) else
                         int(cell) if isinstance(cell, bool) else cell for name, cell in row.items()}
        expected = self.rows(table)
        self.assertEqual(left.keys(), expected.keys())
        for key, row in expected.items():
            if isinstance(row.get("pages"), str):
                row["pages"] = json.dumps(json.loads(row["pages"]), separators=(",", ":"))
            self.assertEqual(left[key], row)
        self.assertGreater(len(left), 10)

    def test_the_topics_hold_the_tables_and_each_batch_once(self):
        sinks = self.windrow("--state", "state")
        for table in TABLES:
            self.compare(table)
        written = {table: len(self.messages(table)) for table in (*TABLES, "bad")}
        self.assertEqual([sinks[name]["rows"] for name in ("SaveViews", "SaveTop", "SaveBad")], list(written.values()))
        key, _, value = self.messages("bad")[-1]
        self.assertEqual(key, "")
        self.assertEqual({"reason", "element"} - json.loads(value).keys(), set())
        # Another start: nothing new, nothing again.
        self.windrow("--state", "state")
        self.assertEqual({table: len(self.messages(table)) for table in (*TABLES, "bad")}, written)

    def test_without_state_the_topics_hold_the_tables_too(self):
        self.windrow()
        for table in TABLES:
            self.compare(table)
        explained = subprocess.run([WINDROW, "explain", self.job], text=True, capture_output=True, cwd=self.path,
                                   timeout=60).stdout
        self.assertIn("at_least_once", explained)


if __name__ == "__main__":
    WINDROW = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
