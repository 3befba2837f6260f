"""`windrow bench`: words, tiny runs, the same rows from every backend, what is skipped and why.

Usage: bench_test.py PATH-OF-WINDROW
"""
import json

import cli_case
from cli_case import CliCase

TINY = ("--rows", "5000", "--rounds", "1", "--threads", "2")


class BenchTest(CliCase):
    def bench(self, *words, code=0):
        done = self.windrow("bench", *words)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def lines(self, *words):
        return [json.loads(line) for line in self.bench(*words, "--json").stdout.splitlines()]

    def test_bad_words_are_refused_with_the_likely_ones(self):
        for words, told in ((("--windows", "tumblin"), "did you mean 'tumbling'?"),
                            (("--input", "pinned,kafak"), "did you mean 'kafka'?"),
                            (("--skew", "zipf"), "must be one of uniform, zipf-1.0, zipf-1.5"),
                            (("--backend", "gpu"), "must be one of cpu, cuda, twin"),
                            (("--late", "51"), "--late"), (("--keys", "0"), "--keys"), (("--rows", "0"), "--rows"),
                            (("--rounds", "none"), "--rounds"), (("--key", "3"), "did you mean '--keys'?")):
            with self.subTest(words):
                done = self.bench(*words, code=64)
                self.assertEqual(done.stdout, "")
                self.assertIn(told, done.stderr)

    def test_every_window_skew_and_late_share_gives_the_same_panes_on_both(self):
        lines = self.lines(*TINY, "--backend", "twin", "--windows", "tumbling,sliding,session", "--keys", "1,100,10000",
                           "--skew", "uniform,zipf-1.0,zipf-1.5", "--late", "0,10")
        self.assertEqual(len(lines), 2 * 3 * 3 * 3 * 2)
        for line in lines:
            with self.subTest(line):
                self.assertEqual(line["wrong"], "")
                self.assertEqual(line["determinism"], "the same panes in every round")
                self.assertGreater(line["events_per_s"], 0)
                self.assertLessEqual(line["ns_per_event_least"], line["ns_per_event"])
                self.assertEqual(line["pcie_in_bytes"] > 0, line["backend"] == "twin")
        panes = [line["panes"] for line in lines]
        self.assertEqual(panes[::2], panes[1::2])
        # Each dimension does what it is named: 60 windows a row, late panes, fewer cells.
        found = {(line["windows"], line["keys"], line["skew"], line["late_percent"]): line["panes"] for line in lines}
        self.assertGreater(found["sliding", 10000, "uniform", 0], 40 * found["tumbling", 10000, "uniform", 0])
        self.assertLess(found["tumbling", 10000, "zipf-1.5", 0], found["tumbling", 10000, "zipf-1.0", 0])
        self.assertLess(found["tumbling", 10000, "zipf-1.0", 0], found["tumbling", 10000, "uniform", 0])
        self.assertEqual(found["tumbling", 1, "uniform", 0], 20)

    def test_several_batches_fire_late_panes(self):
        on_time, late = (self.lines("--rows", "200000", "--rounds", "2", "--backend", "twin", "--keys", "100", "--late", share)
                         for share in ("0", "10"))
        self.assertEqual(on_time[0]["panes"], 20 * 100)
        self.assertGreater(late[0]["panes"], 20 * 100)
        self.assertEqual(late[0]["panes"], late[1]["panes"])

    def test_json_and_a_broker_come_to_the_same_rows(self):
        for line in self.lines(*TINY, "--backend", "twin", "--windows", "tumbling,session", "--late", "1", "--input",
                               "resident,pinned,ndjson,kafka"):
            if (line["input"], line["backend"]) == ("resident", "twin"):
                self.assertIn("none are resident", line["skipped"])
            else:
                self.assertEqual(line["wrong"], "", line)

    def test_what_does_not_fit_is_skipped_and_says_so(self):
        [line] = self.lines("--backend", "cpu", "--rows", "1000000000", "--keys", "100000000", "--windows", "sliding")
        self.assertRegex(line["skipped"], r"^needs about \d+\.\d GB of memory, \d+\.\d GB are free$")
        self.assertNotIn("events_per_s", line)

    def test_the_table_has_the_cpu_and_why_there_is_no_other(self):
        told = self.bench(*TINY, "--keys", "100").stdout
        self.assertRegex(told, r"\ncpu: 2 threads of ")
        self.assertRegex(told, r"\ntumbling +100 uniform +0% pinned +cpu +\d")
        self.assertIn("every cell: the rows that went in came out", told)
        asked = self.windrow("bench", *TINY, "--backend", "cuda", "--keys", "100")
        if "\ncuda: not here: " in told:
            self.assertEqual((asked.returncode, asked.stdout), (69, ""))
            self.assertIn("there should be a GPU: why=", asked.stderr)
        else:
            self.assertRegex(asked.stdout, r"\ntumbling +100 uniform +0% pinned +cuda +\d")


if __name__ == "__main__":
    cli_case.main()
