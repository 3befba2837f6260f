"""Killed anywhere, started again: the topic holds each row of each batch once, and the same table.

Usage: kafka_broker.sh kafka_crash_broker_test.py PATH-OF-WINDROW
"""
import collections
import json
import os
import random
import subprocess
import time

import cli_case
from cli_case import CliCase
from durable_case import WINDOWS, views

BROKER = os.environ["BOOTSTRAP_SERVERS"]  # set by kafka_broker.sh
SOURCE = """
pipeline:
  transforms:
    - type: ReadFromJson
      name: Views
      config:
        path: views.ndjson
        schema: {type: object, required: [user_id, ts], properties: {user_id: {type: string}, ts: {type: integer}}}
    - type: AssignTimestamps
      name: EventTime
      input: Views
      config: {timestamp: ts, unit: ms, watermark: {max_out_of_orderness: 30s}}
"""
STEP = """
    - type: Combine
      name: %s
      input: EventTime
      windowing: %s
      config: {group_by: user_id, combine: {views: {value: user_id, fn: count}}}
    - type: WriteToKafka
      name: Save_%s
      input: %s
      config: {topic: "%s-%s", bootstrap_servers: "%s", format: JSON, key: [window_start, user_id], delivery: %s}
"""
OPTIONS = "options: {windrow: {batch_rows_max: 300, snapshot_bytes: 60000, threads: 2, application_id: %s}}\n"
KINDS = ("fixed", "sessions")


class KafkaCrashTest(CliCase):
    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(20261130)
        cls.wanted = None

    def setUp(self):
        super().setUp()
        self.file("views.ndjson", "".join(views(random.Random(1), 6000)))
        if self.wanted is None:
            self.begin("exactly_once")
            self.run_job()
            type(self).wanted = self.table()
            self.assertGreater(len(self.wanted), 2000)

    # A job of its own: topics, transactions and state.
    def begin(self, delivery):
        self.job = f"crash{time.time_ns()}"
        self.file("job.yaml", SOURCE + "".join(STEP % (kind, WINDOWS[kind], kind, kind, self.job, kind, BROKER, delivery)
                                               for kind in KINDS) + OPTIONS % self.job)

    def run_job(self, order="", code=0):
        rows = self.random.choice((300, 211, 257))
        done = self.windrow("run", "job.yaml", "--state", self.job, "--set", f"batch_rows_max={rows}",
                            env={"WINDROW_CRASH": order})
        self.assertEqual(done.returncode, code, f"{order}: {done.stderr}")
        self.assertNotIn("law", done.stderr)

    def rows(self, kind):
        out = subprocess.run(["kcat", "-q", "-b", BROKER, "-C", "-e", "-t", f"{self.job}-{kind}", "-f", "%k\t%s\n", "-X",
                              "isolation.level=read_committed"], check=True, capture_output=True, text=True, timeout=60)
        return [(key, json.loads(row)) for key, row in (line.split("\t", 1) for line in out.stdout.splitlines())]

    def table(self):
        """The last row of each key; of a session that was taken back, nothing."""
        last = {(kind, key): row for kind in KINDS for key, row in self.rows(kind)}
        return {at: (row["views"], row["window_end"]) for at, row in last.items() if not row["deleted"]}

    def test_each_row_is_there_once_wherever_it_is_killed(self):
        kills = 0
        for point in ("kafka.txn.begun", "kafka.txn.offsets_sent", "kafka.txn.committed", "sink.partial", "sink.sent",
                      "sink.acked", "plan.durable", "snapshot.durable"):
            for hit in (1, 6) if point != "snapshot.durable" else (1,):
                with self.subTest(point=point, hit=hit):
                    self.begin("exactly_once")
                    self.run_job(f"{point}:{hit}", -9)
                    kills += 1
                    self.run_job()
                    for kind in KINDS:
                        versions = collections.defaultdict(list)
                        for key, row in self.rows(kind):
                            versions[key].append(row["pane_version"])
                        self.assertGreater(len(versions), 500)
                        for key, seen in versions.items():
                            self.assertEqual(seen, sorted(set(seen)), key)  # none again, none steps back
                    self.assertEqual(self.table(), self.wanted)
        print(f"{kills} kills")

    def test_killed_again_during_recovery(self):
        self.begin("exactly_once")
        for order in ("kafka.txn.committed:5", "restart.loaded:1", "kafka.txn.offsets_sent:1", "kafka.txn.committed:2"):
            self.run_job(order, -9)
        self.run_job()
        self.assertEqual(self.table(), self.wanted)
        for kind in KINDS:
            rows = [(key, row["pane_version"]) for key, row in self.rows(kind)]
            self.assertEqual(len(rows), len(set(rows)))

    def test_at_least_once_ends_with_the_same_table(self):
        for order in ("sink.partial:4", "sink.sent:5", "sink.acked:5"):
            self.begin("at_least_once")
            self.run_job(order, -9)
            self.run_job()
            self.assertEqual(self.table(), self.wanted, order)


if __name__ == "__main__":
    cli_case.main()
