"""The main job against a real Apache Kafka broker: every row in SQLite is what the generator knows.

Usage: kafka_broker.sh demo_broker_test.py PATH-OF-WINDROW
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

WINDROW = ""
BROKER = os.environ["BOOTSTRAP_SERVERS"]  # set by kafka_broker.sh


def topics():
    listing = subprocess.run(["kcat", "-b", BROKER, "-L", "-J"], check=True, capture_output=True, timeout=60)
    return {topic["topic"] for topic in json.loads(listing.stdout)["topics"] if not topic["topic"].startswith("__")}


class DemoBrokerTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)

    def tearDown(self):
        self.directory.cleanup()

    def demo(self, *words):
        return subprocess.run([WINDROW, "demo", "--fast", *map(str, words)], text=True, capture_output=True,
                              timeout=250)

    def test_every_row_is_the_truth_and_the_topic_goes(self):
        done = self.demo("--bootstrap", BROKER, "--events", 100000, "--dir", self.path, "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(f"broker at {BROKER}, topic windrow-demo-", done.stderr)
        verdict = json.loads(done.stdout)
        self.assertTrue(verdict["matches_the_truth"])
        self.assertEqual([table["table"] for table in verdict["tables"]],
                         ["views_5m", "top_pages_5m", "sessions", "sessions_5m"])
        for table in verdict["tables"]:
            self.assertGreater(table["rows"], 50)
            self.assertEqual(table["differences"], 0)
        counts = {count["name"]: count for count in verdict["counts"]}
        self.assertGreater(counts["Views read"]["true"], 100000)
        for name in ("Views rejected", "Views of the future", "ViewsPerUrl dropped late"):
            self.assertGreater(counts[name]["true"], 0, name)
        self.assertEqual(topics(), set())

    def test_a_broker_that_is_not_there_is_named(self):
        refused = self.demo("--bootstrap", "127.0.0.1:1", "--dir", self.path)
        self.assertEqual(refused.returncode, 69, refused.stderr)
        self.assertIn("servers=127.0.0.1:1", refused.stderr)


if __name__ == "__main__":
    WINDROW = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
