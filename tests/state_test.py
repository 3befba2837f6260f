"""What `windrow state` and `windrow plan diff` say of states that are whole, held, damaged, changed, or none.

Usage: state_test.py PATH-OF-WINDROW
"""
import json
import os
import sqlite3
import subprocess
import time

import cli_case
from cli_case import CliCase

JOB = """\
pipeline:
  transforms:
    - type: ReadFromJson
      name: Views
      config: {path: PATH, schema: {properties: {user: {type: string}, ts: {type: integer}}}}
    - {type: AssignTimestamps, name: Timed, input: Views, config: {timestamp: ts, unit: s}}
    - type: Combine
      name: PerUser
      input: Timed
      windowing: {type: fixed, size: 10s}
      config: {group_by: user, combine: {views: {value: user, fn: count}}}
    - type: WriteToSqlite
      name: Save
      input: PerUser
      config: {path: out.db, table: views, key: [window_start, user], create_table: true}
options:
  windrow: {application_id: views, batch_rows_max: 10, snapshot_bytes: 1000}
"""
ROWS = "".join(f'{{"user": "u{i % 7}", "ts": {i}}}\n' for i in range(200))


class StateTest(CliCase):
    def setUp(self):
        super().setUp()
        self.file("job.yaml", JOB.replace("PATH", "views.ndjson"))
        self.file("views.ndjson", ROWS)

    def killed_at_plan_13(self):
        done = self.windrow("run", "job.yaml", "--state", "s", env={"WINDROW_CRASH": "plan.linked:13"})
        self.assertEqual(done.returncode, -9, done.stderr)
        return self.listed()

    def result(self, *words, code=0):
        done = self.windrow(*words)
        self.assertEqual((done.returncode, done.stderr), (code, ""))
        return done.stdout

    def listed(self, directory="s"):
        return json.loads(self.result("state", "ls", directory, "--json"))

    def refused(self, *words, code=74):
        done = self.windrow(*words)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        return done.stderr

    def faults(self, *names):
        """Those that verify finds, of which each names one of these and nothing else is at fault."""
        faults = json.loads(self.result("state", "verify", "s", "--json", code=74))["faults"]
        self.assertEqual(len(faults), len(names), faults)
        for name, fault in zip(names, faults):
            self.assertIn(name, fault)
        text = self.result("state", "verify", "s", code=74)
        self.assertEqual(text.splitlines()[:-1], faults)
        return faults

    def numbers(self, kind):
        return sorted(int(name) for name in os.listdir(self.path / "s" / kind) if name.isdigit())

    def flip(self, name, at=-12):
        data = bytearray((self.path / "s" / name).read_bytes())
        data[at] ^= 1
        (self.path / "s" / name).write_bytes(data)

    def test_a_killed_run_is_listed_with_what_the_next_start_does_and_that_is_what_it_does(self):
        state = self.killed_at_plan_13()
        snapshots, plans = self.numbers("snapshot"), self.numbers("plan")
        self.assertEqual((state["application_id"], state["epoch"], state["held_by"]), ("views", 1, None))
        self.assertEqual([one["batch"] for one in state["snapshots"]], snapshots)
        self.assertEqual({(one["fault"], one["drained"]) for one in state["snapshots"]}, {(None, False)})
        self.assertEqual([one["bytes"] for one in state["snapshots"]],
                         [(self.path / f"s/snapshot/{n}").stat().st_size for n in snapshots])
        self.assertEqual(state["plans"], {"count": len(plans), "first": plans[0], "last": 13, "missing": []})
        again = 13 - snapshots[-1]
        self.assertGreater(again, 0)
        sentence = f"goes on from snapshot {snapshots[-1]} and runs {again} plan{'s' if again > 1 else ''} again"
        self.assertEqual(state["next_start"], {"exit_code": 0, "text": sentence})
        text = self.result("state", "ls", "s")
        for part in (sentence, "verifies", f"{plans[0]} to 13", "by no process of this machine"):
            self.assertIn(part, text)
        self.assertIn("all verify", self.result("state", "verify", "s"))
        self.assertIn(f"state: goes on: snapshot={snapshots[-1]} ", (run := self.windrow("run", "job.yaml", "--state", "s")).stderr)
        self.assertIn(f" plans={again} ", run.stderr)
        self.assertEqual(self.listed()["epoch"], 2)

    def test_a_run_that_holds_the_state_is_named_and_not_disturbed(self):
        self.file("stdin.yaml", JOB.replace("PATH", '"-"'))
        with subprocess.Popen([cli_case.windrow, "run", "stdin.yaml", "--state", "s"], cwd=self.path, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            run.stdin.write(ROWS)
            run.stdin.flush()
            end = time.monotonic() + 60
            while not (self.path / "s/plan").exists() or not self.numbers("plan"):
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
            self.assertEqual(self.listed()["held_by"], run.pid)
            self.assertIn(f"by process {run.pid}", self.result("state", "ls", "s"))
            self.assertIn("all verify", self.result("state", "verify", "s"))
            self.result("state", "show", "s")
            run.communicate()
        self.assertEqual(run.returncode, 0)
        self.assertIsNone(self.listed()["held_by"])

    def test_components_and_plans_are_shown(self):
        self.killed_at_plan_13()
        oldest, newest = self.numbers("snapshot")
        shown = json.loads(self.result("state", "show", "s", "--json"))
        self.assertEqual(shown["batch"], newest)
        parts = {part["name"]: part for part in shown["components"]}
        self.assertEqual(parts["keys: PerUser"]["keys"], 7)
        self.assertLessEqual({"pipeline", "source: Views", "step: PerUser", "sink totals: Save"}, set(parts))
        self.assertLess(sum(part["bytes"] for part in shown["components"]), shown["bytes"])
        self.assertRegex(self.result("state", "show", "s"), r"keys: PerUser +bytes=\d+ pieces=\d+ keys=7\n")
        self.assertEqual(json.loads(self.result("state", "show", "s", str(oldest), "--json"))["batch"], oldest)
        plan = json.loads(self.result("state", "show", "s", "--plan", "13", "--json"))
        owner = self.listed()
        self.assertEqual((plan["batch"], plan["epoch"], plan["writer"]), (13, 1, owner["writer"]))
        self.assertEqual((plan["graph"], plan["drain"]), (owner["snapshots"][0]["graph"], False))
        lines = ROWS.splitlines(keepends=True)
        self.assertEqual((plan["ranges"][0]["from"], plan["ranges"][0]["to"]),
                         (len("".join(lines[:120])), len("".join(lines[:130]))))
        text = self.result("state", "show", "s", "--plan", "13")
        self.assertIn(f"partition=0 from={plan['ranges'][0]['from']} to={plan['ranges'][0]['to']}", text)

    def test_a_damaged_snapshot_and_the_one_that_serves_are_named(self):
        self.killed_at_plan_13()
        oldest, newest = self.numbers("snapshot")
        self.flip(f"snapshot/{newest}")
        self.faults(f"snapshot/{newest}")
        state = self.listed()
        self.assertIn("checksum", state["snapshots"][1]["fault"])
        self.assertEqual(state["next_start"]["text"], f"goes on from snapshot {oldest} and runs {13 - oldest} plans again")
        self.assertEqual(json.loads(self.result("state", "show", "s", "--json"))["batch"], oldest)
        self.assertIn("checksum", self.refused("state", "show", "s", str(newest)))
        self.flip(f"snapshot/{oldest}")
        self.assertEqual(self.listed()["next_start"]["exit_code"], 74)
        self.faults(f"snapshot/{oldest}", f"snapshot/{newest}", "plans are missing")

    def test_every_fault_is_named(self):
        self.killed_at_plan_13()
        oldest, newest = self.numbers("snapshot")
        plan = self.path / "s/plan"
        (plan / "13").rename(plan / "16")
        self.flip(f"plan/{newest}")
        os.rename(self.path / f"s/snapshot/{oldest}", self.path / "s/snapshot/3")
        self.flip("LOCK", at=3)
        faults = self.faults("LOCK is damaged", "snapshot/3", "plans are missing", f"plan/{newest}", "plan/16")
        self.assertIn("first=13 last=15", faults[2])
        self.assertIn("of another batch than its name", faults[4])
        state = self.listed()
        self.assertEqual(state["plans"]["missing"], [{"first": 13, "last": 15}])
        self.assertEqual(state["next_start"]["exit_code"], 74)
        self.assertEqual(self.windrow("run", "job.yaml", "--state", "s").returncode, 74)
        (self.path / "s/LOCK").unlink()
        self.assertIn("a plan is missing", self.listed()["next_start"]["text"])

    def test_other_formats_and_drained_states_are_told(self):
        self.windrow("run", "job.yaml", "--state", "s")
        newest = self.numbers("snapshot")[-1]
        self.flip(f"snapshot/{newest}", at=8)
        self.faults("its format is not known")
        self.assertIn("its format is not known", self.listed()["next_start"]["text"])
        self.assertIn("its format is not known", self.refused("state", "show", "s"))
        self.flip(f"snapshot/{newest}", at=8)
        drained = self.windrow("run", "job.yaml", "--state", "s", "--drain")
        self.assertEqual(drained.returncode, 0, drained.stderr)
        if (state := self.listed())["snapshots"][-1]["drained"]:
            self.assertEqual(state["next_start"]["exit_code"], 78)
            self.assertIn("is refused with exit code 78: state: it was drained", self.result("state", "ls", "s"))

    def test_a_copy_goes_on_as_the_state_would_and_the_state_stays_as_it_is(self):
        self.killed_at_plan_13()
        files = {path: path.read_bytes() for path in (self.path / "s").rglob("*") if path.is_file()}
        newest = self.numbers("snapshot")[-1]
        done = json.loads(self.result("state", "export", "s", "copy", "--json"))
        self.assertEqual((done["snapshot"], done["plans"]), (newest, 13 - newest))
        self.assertEqual(done["bytes"], (self.path / f"copy/snapshot/{newest}").stat().st_size)
        self.assertEqual({path: path.read_bytes() for path in (self.path / "s").rglob("*") if path.is_file()}, files)
        self.assertIn("all verify", self.result("state", "verify", "copy"))
        copy, state = self.listed("copy"), self.listed()
        for key in ("application_id", "epoch", "next_start"):
            self.assertEqual(copy[key], state[key])
        self.assertIn("into an empty directory", self.refused("state", "export", "s", "copy", code=64))
        (self.path / "out.db").unlink()
        other = self.file("other.yaml", (self.path / "job.yaml").read_text().replace("out.db", "other.db"))
        self.assertIn(f" plans={13 - newest} ", self.windrow("run", other, "--state", "copy").stderr)
        self.assertEqual(self.windrow("run", "job.yaml", "--state", "s").returncode, 0)
        rows = [sqlite3.connect(self.path / name).execute("SELECT id, views FROM views ORDER BY id").fetchall()
                for name in ("other.db", "out.db")]
        self.assertEqual(*rows)
        self.assertGreater(len(rows[0]), 20)

    def test_what_cannot_be_copied_is_told(self):
        self.killed_at_plan_13()
        oldest, newest = self.numbers("snapshot")
        self.flip(f"snapshot/{newest}")
        done = self.windrow("state", "export", "s", "copy")
        self.assertEqual(done.returncode, 0)
        self.assertIn(f"snapshot={oldest} ", done.stdout)
        self.assertIn(f"snapshot/{newest}", done.stderr)
        (self.path / "s/plan/12").unlink()
        self.assertIn("a plan is missing", self.refused("state", "export", "s", "more"))
        self.assertFalse((self.path / "more").exists())
        self.assertIn("cannot create the directory: path=job.yaml/in", self.refused("state", "export", "copy", "job.yaml/in"))

    def diff(self, before, after, *words, code=78):
        return json.loads(self.result("plan", "diff", before, after, "--json", *words, code=code))

    def test_a_changed_file_is_compared_by_name_with_a_file_or_a_state(self):
        self.killed_at_plan_13()
        job = (self.path / "job.yaml").read_text()
        same = self.diff("s", "job.yaml", code=0)
        self.assertTrue(same["kept"])
        self.assertEqual({one["change"] for one in same["transforms"]}, {"kept"})
        self.assertIn("goes on from the state", self.result("plan", "diff", "s", "job.yaml"))
        tuned = self.file("tuned.yaml", job.replace("batch_rows_max: 10", "batch_rows_max: 20").replace("out.db", "x.db"))
        self.diff("s", tuned, code=0)
        for old, new, part in (("size: 10s", "size: 20s", "windows"), ("size: 10s", "size: 10s, allowed_lateness: 5s, "
                               "accumulation_mode: accumulating", "allowed_lateness"), ("fn: count", "fn: approx_distinct", "combine"),
                               ("size: 10s", "size: 10s, allowed_lateness: 0s, accumulation_mode: accumulating, trigger: "
                               "{after_end_of_window: {late_firings: {element_count: 1}}}", "trigger")):
            changed = self.file("changed.yaml", job.replace(old, new))
            for before in ("s", "job.yaml"):
                reasons = {one["name"]: (one["change"], one["reasons"]) for one in self.diff(before, changed)["transforms"]}
                self.assertEqual(reasons["Views"], ("kept", []))
                self.assertEqual(reasons["PerUser"][0], "incompatible")
                self.assertIn(part, reasons["PerUser"][1])
                self.assertEqual(reasons["Save"], ("incompatible", ["reads PerUser"]))
            run = self.windrow("run", changed, "--state", "s")
            self.assertEqual(run.returncode, 78)
            self.assertRegex(run.stderr, rf"directory=s differs=PerUser: .*{part}")
        text = self.result("plan", "diff", "job.yaml", changed, code=78)
        self.assertRegex(text, r"PerUser +incompatible: .*trigger")
        self.assertIn("one graph as a whole", text)
        schema = self.diff("s", self.file("changed.yaml", job.replace("ts: {type: integer}", "ts: {type: number}")))
        self.assertEqual(schema["transforms"][0]["reasons"], ["schema"])
        renamed = self.diff("s", self.file("changed.yaml", job.replace("name: Save", "name: Table")))
        self.assertEqual([(one["name"], one["change"]) for one in renamed["transforms"] if one["change"] != "kept"],
                         [("Table", "reset"), ("Save", "reset")])
        other = self.diff("s", self.file("changed.yaml", job.replace("application_id: views", "application_id: other")))
        self.assertEqual(other["application_id"], {"state": "views", "file": "other"})

    def test_what_cannot_be_compared_is_told(self):
        self.assertIn("path=nowhere", self.refused("plan", "diff", "nowhere", "job.yaml", code=78))
        self.assertIn("holds no state", self.refused("plan", "diff", ".", "job.yaml"))
        wrong = self.file("wrong.yaml", (self.path / "job.yaml").read_text().replace("fn: count", "fn: cuont"))
        self.assertIn("did you mean 'count'?", self.refused("plan", "diff", "job.yaml", wrong, code=78))
        self.killed_at_plan_13()
        for number in self.numbers("snapshot"):
            self.flip(f"snapshot/{number}")
        self.assertIn("snapshot: damaged", self.refused("plan", "diff", "s", "job.yaml"))
        for words, text in ((("dif", "s", "job.yaml"), "did you mean 'diff'?"), (("diff", "s"), "new is required")):
            self.assertIn(text, self.refused("plan", *words, code=64))

    def test_what_is_no_state_is_told(self):
        for words, text in ((("ls", "nowhere"), "there is no such directory"), (("verify", "job.yaml"), "it is no directory"),
                            (("show", "."), "holds no state")):
            told = self.refused("state", *words)
            self.assertIn(text, told)
            self.assertIn(f"--state, or `state:` in its settings, is one: directory={words[1]}", told)
        self.killed_at_plan_13()
        for words, text in ((("s", "99"), "there is no snapshot 99"), (("s", "--plan", "99"), "there is no plan 99")):
            self.assertIn(text, self.refused("state", "show", *words))
        for words, text in ((("lss", "s"), "did you mean 'ls'?"), (("show", "s", "newest"), "is 'newest'"),
                            (("ls", "s", "4"), "ls takes the directory only"), (("ls",), "directory is required"),
                            (("show", "s", "4", "--plan", "4"), "not both"), (("verify", "s", "--plan", "4"), "verify takes"),
                            (("export", "s"), "needs an empty directory"), (("export", "s", "x", "--plan", "4"), "export takes")):
            self.assertIn(text, self.refused("state", *words, code=64))


if __name__ == "__main__":
    cli_case.main()
