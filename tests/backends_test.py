"""Which backend runs a step: `device`, --device and WINDROW_BACKEND, what explain, run and doctor say of it.

Usage: backends_test.py PATH-OF-WINDROW
"""
import json
import os

import cli_case
from cli_case import CliCase

PLAIN = """\
pipeline:
  type: chain
  transforms:
    - {type: ReadFromJson, name: In, config: {path: in.ndjson, schema: {properties: {k: {type: string}, v: {type: integer},
        t: {type: integer}}}, event_time: {field: t, unit: s}}}
    - {type: Combine, name: Sum, windowing: {type: fixed, size: 10s}, config: {group_by: k, combine: {n: {value: v, fn: sum},
        m: {value: v, fn: max}}}}
    - {type: WriteToJson, config: {path: out.ndjson}}
"""
TWIN = {"WINDROW_BACKEND": "twin"}
NEW = {"CUDA_VISIBLE_DEVICES": ""}  # a machine without a GPU, whatever there is


class BackendsTest(CliCase):
    def setUp(self):
        super().setUp()
        self.file("in.ndjson", "".join(f'{{"k": "{i % 300}", "v": {i % 17 - 5}, "t": {i // 100}}}\n' for i in range(20000)))
        self.path_of_plain = self.file("x.yaml", PLAIN)

    def run_on(self, *words, env=None, code=0):
        """stderr, the summary and the rows of a run."""
        (self.path / "out.ndjson").unlink(missing_ok=True)
        done = self.windrow("run", self.path_of_plain, "--json", *words, env=env)
        self.assertEqual(done.returncode, code, done.stderr)
        rows = [json.loads(line) for line in (self.path / "out.ndjson").read_text().splitlines()] if code == 0 else []
        for row in rows:
            for key in ("pane_version", "id"):  # of the time of the run
                row.pop(key)
        return done.stderr, json.loads(done.stdout.splitlines()[-1]) if code == 0 else None, rows

    def step(self, *words, env=None):
        return self.run_on(*words, env=env)[1]["steps"][0]

    def device(self, *words, text=PLAIN, env=None, name="Sum"):
        done = self.windrow("explain", "--json", self.file("e.yaml", text), *words, env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        return next(part["device"] for part in json.loads(done.stdout) if part["name"] == name)

    def test_the_twin_runs_a_pipeline_and_gives_the_rows_of_the_cpu(self):
        told, summary, rows = self.run_on(env=TWIN)
        self.assertEqual(summary["steps"][0]["backend"], "twin")
        self.assertIn("Sum runs on twin: WINDROW_BACKEND asks for it", told)
        quiet, cpu, expected = self.run_on(env=NEW)
        self.assertEqual(cpu["steps"][0]["backend"], "cpu")
        self.assertNotIn("runs on", quiet)
        self.assertEqual(rows, expected)
        self.assertEqual(len(rows), 20 * 300)
        text = self.windrow("run", self.path_of_plain, env=TWIN).stderr
        self.assertIn("\nSum: on twin\n", text)
        self.assertNotIn("Sum: on", self.windrow("run", self.path_of_plain, env=NEW).stderr)

    def test_the_demo_matches_its_truth_on_the_twin(self):
        done = self.windrow("demo", "--fast", "--events", 20000, "--dir", self.path / "demo", env=TWIN)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("matches the truth: yes", done.stdout)
        for step in ("ViewsPerUrl", "UserSessions"):
            self.assertIn(f"{step} runs on twin", done.stderr)

    def test_what_no_device_runs_is_on_the_cpu_and_says_why(self):
        text = PLAIN.replace("fn: max", "fn: group")
        self.path_of_plain.write_text(text)
        told, summary, _ = self.run_on(env=TWIN)
        self.assertEqual(summary["steps"][0]["backend"], "cpu")
        self.assertIn("Sum runs on cpu: no device runs an aggregate whose state has no fixed size", told)
        for words, env in ((("--device", "cuda"), {}), ((), TWIN)):
            self.assertIn("cpu: no device runs an aggregate", self.device(*words, text=text, env=env))

    def test_explain_says_device_and_reason(self):
        self.assertEqual(self.device("--device", "cuda"), "cuda: the file or the command asks for it")
        self.assertEqual(self.device("--device", "cuda:3"), "cuda: the file or the command asks for it")
        self.assertEqual(self.device("--device", "cpu", env=TWIN), "twin: WINDROW_BACKEND asks for it")
        sliding = "type: sliding, size: %ds, period: 1s, timestamp_combiner: latest_in_pane"
        below, above = (PLAIN.replace("type: fixed, size: 10s", sliding % n) for n in (15, 16))
        self.assertIn("cpu: to read a row of JSON costs more than to fold it into 15 windows;", self.device(text=below))
        self.assertEqual(self.device(text=above), "cuda where there is a GPU, else cpu: a row is in 16 windows")
        shared = above.replace(", timestamp_combiner: latest_in_pane", "")
        self.assertEqual(self.device(text=shared), "cpu: to read a row of JSON costs more than to fold it, once for its 16 windows")
        self.path_of_plain.write_text(above)
        self.assertEqual(self.step(env=NEW)["backend"], "cpu")

    def test_a_gpu_that_is_asked_for_and_missing_is_an_error_with_its_reason(self):
        for words, env in ((("--device", "cuda"), {}), (("--device", "cuda:7"), {}), (("--set", "device=cuda"), {}),
                           ((), {"WINDROW_BACKEND": "cuda"}),
                           (("--device", "cuda:GPU-00000000-1111-2222-3333-444444444444"), {})):
            told = self.run_on(*words, env={**NEW, **env}, code=69)[0]
            self.assertRegex(told, r"windrow: device: there is no GPU: \S.* \((WINDROW_BACKEND|the file or the command) asks")
        text = PLAIN + "options: {windrow: {device: cuda}}\n"
        self.path_of_plain.write_text(text)
        self.run_on(env=NEW, code=69)
        self.assertEqual(self.step("--device", "cpu")["backend"], "cpu")  # the command wins
        self.assertEqual(self.windrow("check", self.path_of_plain, env=NEW).returncode, 0)

    def test_settings_of_devices_are_checked_by_place(self):
        line = "options: {windrow: {device: cuda:x, gpu: {memory_limit: 0%, memory_limits: 1}}}\n"
        found = self.windrow("check", self.file("x.yaml", PLAIN + line)).stderr
        for word, code, text in (("cuda:x", "E141", "'device' must be one of auto, cpu, cuda, cuda:N, cuda:UUID, is 'cuda:x'"),
                                 ("0%", "E141", "'memory_limit' must be a size such as 8GiB, or a share"),
                                 ("memory_limits: 1", "E100", "unknown key 'memory_limits' in gpu of options.windrow")):
            self.assertIn(f"x.yaml:9:{line.index(word) + 1}: error[{code}] {text}", found)
        self.assertIn("did you mean 'memory_limit'?", found)
        self.path_of_plain.write_text(PLAIN)
        for good in ("8GiB", "60%", "100%", "0.5%"):
            done = self.windrow("check", self.path_of_plain, "--set", f"gpu.memory_limit={good}")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_wrong_backend_is_named_with_the_one_meant(self):
        for verb in ("run", "explain"):
            done = self.windrow(verb, self.path_of_plain, env={"WINDROW_BACKEND": "twni"})
            self.assertEqual(done.returncode, 78)
            self.assertIn("WINDROW_BACKEND must be one of cpu, twin, cuda, is 'twni', did you mean 'twin'?", done.stderr)
        self.assertEqual(self.step(env={"WINDROW_BACKEND": ""})["backend"], "cpu")

    def test_a_device_without_memory_leaves_the_step_to_the_cpu_and_says_so(self):
        _, _, expected = self.run_on("--device", "cpu")
        for limit, reason in (("100kB", "the device has no memory for what a step starts with"),
                              ("10MB", "the device has no memory for a batch: device=twin rows=")):
            told, summary, rows = self.run_on("--set", f"gpu.memory_limit={limit}", env=TWIN)
            self.assertEqual(rows, expected)
            step = summary["steps"][0]
            self.assertEqual(step["backend"], "cpu")
            self.assertIn(reason, step["moved_to_cpu"])
            self.assertRegex(told, r"warning Sum: moves to the CPU and stays there until the next start: " + reason)
            text = self.windrow("run", self.path_of_plain, "--set", f"gpu.memory_limit={limit}", env=TWIN).stderr
            self.assertIn(f"\nSum: on cpu, where it moved to: {reason}", text)
        self.assertEqual(self.step(env=TWIN)["moved_to_cpu"], "")

    def test_tests_run_on_the_cpu_unless_the_command_says_otherwise(self):
        text = PLAIN + """\
options: {windrow: {device: cuda}}
tests:
  - name: one
    transcript:
      - input: [{k: a, v: 2, t: 3}]
      - end: {}
      - expect: [{result: {n: 2, m: 2}}]
"""
        path = self.file("t.yaml", text)
        self.assertEqual(self.windrow("test", path, env=NEW).returncode, 0)
        done = self.windrow("test", path, env=TWIN)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Sum runs on twin", done.stderr)
        self.assertEqual(self.windrow("test", path, "--device", "cuda", env=NEW).returncode, 69)

    def test_doctor_lists_backends_and_why_there_is_no_gpu(self):
        listed = json.loads(self.windrow("doctor", "--backends", "--json", env=NEW).stdout)
        self.assertEqual(listed, ["cpu", "twin"])
        self.assertEqual(self.windrow("doctor", "--backends", env=NEW).stdout, "cpu\ntwin\n")
        facts = json.loads(self.windrow("doctor", "--json", env=NEW).stdout)
        self.assertIn("ready", facts["backend twin"])
        self.assertRegex(facts["backend cuda"], r"^no GPU: \w")
        self.assertRegex(json.loads(self.windrow("version", "--json").stdout)["backends"], r"^cpu, twin(, cuda \d+\.[\d.]+)?$")


if __name__ == "__main__":
    os.environ.pop("WINDROW_BACKEND", None)
    cli_case.main()
