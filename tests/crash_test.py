"""Killed anywhere, started again: the tables are those of a run without a failure.

Usage: crash_test.py PATH-OF-WINDROW

Every crash point that the command names (WINDROW_CRASH=list) is hit, as often as a run of this job
comes there: at its first, second and tenth pass and at one drawn by a seed, and once more during
the recovery.  Batches of the starts after the first have other borders, so that only a recorded
plan gives the panes that are out again.  The history of each table is kept by triggers of the
database: no version and, under ACCUMULATING, no count of a row goes back.

WINDROW_CRASH_KILLS=N kills N times at a random moment under load instead (./run soak: 5,000).
"""
import os
import random
import subprocess
import time

import cli_case
from durable_case import JOB, DurableCase


class CrashTest(DurableCase):
    passes = (1, 2, 10)  # of a point, at which the process is killed; one more is drawn

    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(20261130)

    def crash(self, order):
        """One start that is to be killed; was it?"""
        rows = self.random.choice((300, 211))
        killed = self.windrow("run", "job.yaml", "--state", "state", "--set",
                              f"batch_rows_max={rows}", env={"WINDROW_CRASH": order})
        self.assertIn(killed.returncode, (0, -9), f"{order}: {killed.stderr}")
        return killed.returncode == -9

    def points(self):
        points = self.windrow("--help", env={"WINDROW_CRASH": "list"}).stdout.split()
        self.assertGreater(len(points), 15)
        return points

    def test_killed_at_every_point(self):
        points = self.points()
        hits, never = 0, []
        for point in points:
            before = hits
            for hit in (*self.passes, self.random.randint(3, 40)):
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

    def test_killed_at_random_moments(self):
        wanted, kills, rounds = int(os.environ.get("WINDROW_CRASH_KILLS", "20")), 0, 0
        while kills < wanted:
            self.fresh()
            rounds += 1
            for _ in range(5):
                process = subprocess.Popen([cli_case.windrow, "run", "job.yaml", "--state", "state", "--quiet", "--set",
                                            f"batch_rows_max={self.random.choice((50, 300, 211))}"],
                                           cwd=self.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(self.random.random() * 0.15)
                process.kill()
                kills += process.wait() == -9
            self.expect_recovery(f"kills until now: {kills}")
        print(f"{kills} kills in {rounds} runs")

    def test_a_spool_keeps_standard_input(self):
        """Each process is killed somewhere behind its spool; the next one goes on with the same pipe."""
        job = JOB.replace("path: views.ndjson", 'path: "-"\n        spool: spool')
        self.file("stdin.yaml", job)
        lines = (self.path / "views.ndjson").read_text().splitlines(keepends=True)
        chunks = ["".join(lines[i:i + 40]) for i in range(0, len(lines), 40)]  # whole lines in one write
        self.fresh()
        orders = ["spool.durable:1", "spool.durable:4", "plan.tmp:3", "plan.durable:2", "batch.fired:3", "batch.pushed:2",
                  "restart.replayed.partial:1", "snapshot.durable:1", "poll.done:5"]  # of the thread that reads
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
