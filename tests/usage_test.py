"""What every verb shares: words and exit codes, streams, settings and who overrides whom, the log's forms.

Usage: usage_test.py PATH-OF-WINDROW
"""
import json
import os
import pty
import re
import subprocess

import cli_case
from cli_case import CliCase, EXAMPLES

VERBS = ("run", "check", "test", "explain", "plan", "state", "gen", "demo", "bench", "doctor", "schema", "version")
PLAIN = """\
pipeline:
  type: chain
  transforms:
    - {type: Create, config: {elements: [{k: a, v: 1}, {k: a, v: 2}]}}
    - {type: Combine, windowing: {type: fixed, size: 5m}, config: {group_by: k, combine: {n: {value: v, fn: sum}}}}
    - {type: WriteToJson, config: {path: "-"}}
"""
BREAKER = """\
pipeline:
  type: chain
  transforms:
    - {type: ReadFromJson, config: {path: in.ndjson, schema: {properties: {v: {type: integer}}}}}
    - {type: WriteToJson, config: {path: out.ndjson}}
options: {windrow: {max_bad_ratio: 10% over 10}}
"""
STDIN = """\
pipeline:
  type: chain
  transforms:
    - {type: ReadFromJson, config: {path: "-", schema: {properties: {v: {type: integer}}}}}
    - {type: LogForTesting}
"""
KAFKA = """\
pipeline:
  type: chain
  transforms:
    - {type: ReadFromKafka, config: {topic: t, bootstrap_servers: "127.0.0.1:1", format: STRING}}
    - {type: WriteToJson, config: {path: out.ndjson}}
options: {windrow: {give_up_after: 1s}}
"""


class UsageTest(CliCase):
    def refused(self, *words, code=64):
        done = self.windrow(*words)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        return done.stderr

    def test_each_verb_has_help_on_stdout_with_the_options_it_takes(self):
        for verb in VERBS:
            done = self.windrow(verb, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(f"Usage: windrow {verb}", done.stdout)
            for option in ("--log-format", "--color", "--json", "--quiet"):
                self.assertIn(option, done.stdout)
            self.assertEqual("--set" in done.stdout, verb in ("run", "check", "test", "explain", "plan"))
        whole = self.windrow("--help").stdout
        for word in (*VERBS, "-c", "--set", "--var"):
            self.assertIn(f"  {word} ", whole)

    def test_words_that_are_not_known_are_named_with_the_ones_meant(self):
        for words, text in (
                (("exlpain", "x.yaml"), "unknown verb 'exlpain', did you mean 'explain'?"),
                (("--quiet", "chek"), "unknown verb 'chek', did you mean 'check'?"),
                (("check", "x.yaml", "--deny-warning"), "unknown option '--deny-warning' of check, did you mean "
                 "'--deny-warnings'?"),
                (("run", "x.yaml", "--stat=s"), "unknown option '--stat' of run, did you mean '--state'?"),
                (("run", "x.yaml", "--inptu", "y"), "unknown option '--inptu' of run, did you mean '--input'?"),
                (("--version",), "unknown option '--version'"),
                (("--json",), "a verb is missing"),
                (("check", "x.yaml", "--color", "alway"), "must be one of auto, always, never, is 'alway', did you mean "
                 "'always'?"),
                (("explain", "x.yaml", "--format", "dto"), "did you mean 'dot'?"),
                (("run", "x.yaml", "y.yaml"), "run: "),
                (("check",), "files is required"),
                (("run", "x.yaml", "--take-over"), "--take-over needs --state"),
                (("check", "x.yaml", "--var", "a"), "--var must be name=value: a")):
            with self.subTest(words):
                self.file("x.yaml", PLAIN)
                self.assertIn(text, self.refused(*words))

    def test_what_is_not_built_yet_is_refused_by_its_name(self):
        self.file("x.yaml", PLAIN)
        for verb in ("new", "top", "tap", "dlq", "completion", "debug"):
            self.assertEqual(self.refused(verb, "x"), f"windrow: verb '{verb}' is not built yet\n")
        for words in (("check", "x.yaml", "--connect"), ("run", "x.yaml", "--since", "2026-01-01"),
                      ("run", "x.yaml", "--from-group-offsets"),
                      ("run", "x.yaml", "--discard-state=step=X"), ("run", "x.yaml", "--admin")):
            option = words[2].split("=")[0]
            self.assertEqual(self.refused(*words), f"windrow: option '{option}' of {words[0]} is not built yet\n")
        for setting in ("listen=127.0.0.1:8080", "replay_horizon=24h"):
            self.assertRegex(self.refused("check", "x.yaml", "--set", setting, code=78), r"E101\] .*is not built yet")

    def test_options_of_pipeline_files_are_refused_where_none_is_read(self):
        for words in (("version", "--set", "threads=1"), ("gen", "pageviews", "--var", "a=b"), ("demo", "-c", "x")):
            self.assertIn(f"'{words[-2]}' means nothing to {words[0]}", self.refused(*words))

    def test_what_is_not_supported_is_told_what_to_write_instead(self):
        combine = "{group_by: k, combine: {n: {value: v, fn: %s}}}"
        for old, new, instead in (
                (combine % "sum", combine % "avg", "one of count, sum, min, max, mean,"),
                (combine % "sum", "{language: sql, group_by: k, combine: {n: 'mean(v)'}}", "one of count(*), count(x),"),
                ("{type: WriteToJson", "{type: Filter, config: {language: python, keep: 'n is None'}}\n"
                 "    - {type: WriteToJson", "a null is told by == None or != None")):
            self.assertIn(instead, self.refused("check", self.file("x.yaml", PLAIN.replace(old, new)), code=78))

    def test_files_that_cannot_be_read_end_with_78_and_why(self):
        for verb in ("check", "run", "test", "explain"):
            self.assertIn("No such file or directory: path=nowhere.yaml", self.refused(verb, "nowhere.yaml", code=78))
            self.assertIn("Is a directory: path=.", self.refused(verb, ".", code=78))
        listed = json.loads(self.windrow("check", "nowhere.yaml", self.file("x.yaml", PLAIN), "--json").stdout)
        self.assertEqual([(one["code"], one["file"]) for one in listed], [("unreadable", "nowhere.yaml")])
        self.file("x.yaml", PLAIN)
        self.assertIn("path=nowhere.yaml", self.refused("check", "x.yaml", "-c", "nowhere.yaml", code=78))

    def test_settings_of_the_command_win_over_c_and_c_over_the_file(self):
        path = self.file("x.yaml", PLAIN + "options: {windrow: {device: cpu, threads: 1}}\n")
        asked, default = "cpu: the file or the command asks for it", "cpu: to read a row of JSON costs more"
        overlay = ("-c", self.file("deployment.yaml", "device: auto\n"))
        for words, device in (((), asked), (overlay, default), ((*overlay, "--set", "device=cpu"), asked),
                              (("--set", "device=auto"), default), (("--set", "device=cpu", "--set", "device=auto"), default),
                              (("--device", "auto"), default), (("--set", "device=auto", "--device", "cpu"), asked)):
            self.assertIn(device, self.windrow("explain", path, *words).stdout, words)
        run = self.windrow("run", path, "--set", "device=auto", "--device", "cuad")
        self.assertEqual(run.returncode, 78)
        self.assertIn("command line:2:8: error[E141]", run.stderr)
        self.assertIn("did you mean 'cuda'?", run.stderr)
        wrong = self.refused("check", path, "-c", self.file("bad.yaml", "\ntreads: 2\n"), code=78)
        self.assertIn(f"{self.path}/bad.yaml:2:1: error[E100]", wrong)
        self.assertIn("did you mean 'threads'?", wrong)

    def test_results_go_to_stdout_and_all_else_to_stderr(self):
        path = self.file("x.yaml", PLAIN)
        done = self.windrow("run", path)
        self.assertEqual([json.loads(line)["n"] for line in done.stdout.splitlines()], [3])
        self.assertIn("all input ended", done.stderr)
        quiet = self.windrow("run", path, "--quiet")
        self.assertEqual((json.loads(quiet.stdout)["n"], quiet.stderr), (3, ""))
        both = [json.loads(line) for line in self.windrow("run", path, "--json").stdout.splitlines()]
        self.assertEqual((len(both), both[0]["n"], both[1]["laws_hold"]), (2, 3, True))

    def test_json_is_the_form_of_every_result(self):
        path = self.file("x.yaml", PLAIN)
        for words in (("version",), ("doctor",), ("doctor", "--backends"), ("schema",), ("check", path), ("explain", path),
                      ("test", EXAMPLES / "pageviews.yaml"), ("gen", "pageviews", "--events", "10")):
            done = self.windrow(*words, "--json")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIsNotNone(json.loads(done.stdout), words)
        self.assertEqual(json.loads(self.windrow("gen", "pageviews", "--events", "10", "--json").stdout)["files"], 1)
        self.assertIn("--out -", self.refused("gen", "pageviews", "--json", "--out", "-"))
        tests = json.loads(self.windrow("test", EXAMPLES / "pageviews.yaml", "--json").stdout)
        self.assertEqual([(t["name"], t["passed"], t["faults"]) for t in tests], [("early, on time, late, dropped", True, [])])

    def test_warnings_deny_and_survive_quiet(self):
        path = self.file("x.yaml", PLAIN.replace("size: 5m", "size: 1d"))
        for words, code in (((), 0), (("--deny-warnings",), 1), (("--deny-warnings", "--quiet"), 1)):
            done = self.windrow("check", path, *words)
            self.assertEqual(done.returncode, code)
            self.assertIn("warning[W201]", done.stderr)
        wrong = self.file("x.yaml", PLAIN.replace("size: 5m", "size: 1d, gap: 5m"))
        self.assertEqual(self.windrow("check", wrong, "--deny-warnings").returncode, 78)

    def test_findings_have_place_line_caret_suggestion_and_path(self):
        path = self.file("x.yaml", PLAIN.replace("group_by: k", "group_by: key"))
        found = self.windrow("check", path).stderr.splitlines()
        line = path.read_text().splitlines()[4]
        column = line.index("key,") + 1
        self.assertEqual(found[0], f"{path}:5:{column}: error[E140] Combine: no field 'key'")
        self.assertEqual(found[1], f"    5 | {line}")
        self.assertEqual(found[2].rstrip(), "      | " + " " * (column - 1) + "^^^" + found[2].split("^^^")[1].rstrip())
        self.assertEqual(found[3], "      = at pipeline.transforms[1].config.group_by")

    def test_all_errors_come_at_once_of_all_files(self):
        one = self.file("x.yaml", PLAIN.replace("fn: sum", "fn: summ").replace("size: 5m", "siz: 5m"))
        two = self.file("y.yaml", PLAIN.replace("Create", "Creat"))
        done = self.windrow("check", one, "nowhere.yaml", two, "--json")
        self.assertEqual(done.returncode, 78)
        self.assertIn("path=nowhere.yaml", done.stderr)
        self.assertLessEqual({(str(one), "E100"), (str(one), "E101"), (str(two), "E101")},
                             {(f["file"], f["code"]) for f in json.loads(done.stdout)})

    def colours(self, *words, env=None):
        """stderr of a check in a terminal."""
        path = self.file("x.yaml", PLAIN.replace("size: 5m", "siz: 5m"))
        ours, theirs = pty.openpty()
        with subprocess.Popen([cli_case.windrow, "check", str(path), *words], stderr=theirs,
                              env={**os.environ, "TERM": "xterm", "NO_COLOR": "", **(env or {})}):
            os.close(theirs)
            out = b""
            try:
                while chunk := os.read(ours, 4096):
                    out += chunk
            except OSError:  # how a pseudo-terminal ends
                pass
        os.close(ours)
        return b"\x1b[" in out

    def test_colours_are_for_terminals_that_want_them(self):
        self.assertTrue(self.colours())
        self.assertFalse(self.colours("--color", "never"))
        self.assertFalse(self.colours(env={"NO_COLOR": "1"}))
        self.assertTrue(self.colours("--color", "always", env={"NO_COLOR": "1"}))
        self.assertFalse(self.colours(env={"TERM": "dumb"}))
        path = self.path / "x.yaml"
        self.assertNotIn("\x1b[", self.windrow("check", path).stderr)
        self.assertIn("\x1b[", self.windrow("check", path, "--color", "always").stderr)

    def test_the_log_has_three_forms_and_every_line_is_a_record(self):
        path = self.file("x.yaml", PLAIN.replace("WriteToJson, config: {path: \"-\"}", "LogForTesting")
                         .replace("size: 5m", "size: 1d"))
        records = [json.loads(line) for line in self.windrow("run", path, "--log-format", "json").stderr.splitlines()]
        self.assertEqual({tuple(record) for record in records}, {("time", "level", "message")})
        self.assertIn("all input ended", records[-1]["message"])
        self.assertEqual(records[0]["level"], "warning")
        self.assertIn("W201", records[0]["message"])
        for line in self.windrow("run", path, "--log-format", "logfmt").stderr.splitlines():
            self.assertRegex(line, r'^time=\d{4}-\d\d-\d\dT[\d:.]+Z level=(info|warning) message="(\\.|[^"\\])*"$')
        fatal = self.windrow("run", path, "--log-format", "json", "--input", "none", "--until-eof").stderr.splitlines()
        self.assertEqual(json.loads(fatal[-1])["level"], "error")

    def test_secrets_of_transforms_known_or_not_are_not_shown(self):
        for kind, url in (("WriteToPostgres", "u"), ("WriteToPostgrse", "u"), ("WriteToMySql", "u"),
                          ("WriteToPostgres", '"postgresql://u:hunter2@host/web?options=%"'),
                          ("WriteToPostgres", '"postgresql://host/web?password=hunter2&x=y"')):
            text = PLAIN.replace('WriteToJson, config: {path: "-"}', kind + ", config: {url: %s, password: hunter2}" % url)
            for words in ((), ("--json",)):
                done = self.windrow("check", self.file("x.yaml", text), *words)
                self.assertEqual(done.returncode, 78)
                self.assertNotIn("hunter2", done.stdout + done.stderr)
                self.assertIn("*******", done.stdout + done.stderr)

    def test_the_first_result_is_foretold(self):
        kafka = PLAIN.replace("Create, config: {elements: [{k: a, v: 1}, {k: a, v: 2}]}",
                              "ReadFromKafka, config: {topic: t, bootstrap_servers: 'b:1', format: JSON, schema: {properties: "
                              "{k: {type: string}, v: {type: integer}}}, watermark: {max_out_of_orderness: 30s}}")
        lines = PLAIN.replace("Create, config: {elements: [{k: a, v: 1}, {k: a, v: 2}]}",
                              "ReadFromJson, config: {path: '-', schema: {properties: {k: {type: string}, v: {type: integer}, "
                              "t: {type: integer}}}, event_time: {field: t, unit: s}, watermark: {}}")
        mode = ", allowed_lateness: 10m, accumulation_mode: accumulating, trigger: "
        pt = "{after_processing_time: 60s}"
        for text, trigger, first in (
                (PLAIN, "", "the end of the input"),
                (PLAIN, mode + "{repeat: %s}" % pt, "the end of the input"),
                (PLAIN, mode + "{repeat: {element_count: 5}}", "5 rows of a key"),
                (kafka.replace("max_out_of_orderness: 30s", ""), "", "a row at or after the end of its window"),
                (kafka, "", "a row 30s after the end of its window"),
                (kafka, mode + "{after_end_of_window: {early_firings: %s, late_firings: {element_count: 1}}}" % pt,
                 "1m after the first row of a key or a row 30s after the end of its window"),
                (lines, mode + "{after_end_of_window: {early_firings: %s, late_firings: %s}}" % (pt, pt),
                 "a row at or after the end of its window"),
                (kafka, mode + "always", "the first row of a key"),
                (kafka, mode + "{repeat: {after_all: [{element_count: 2}, %s]}}" % pt,
                 "2 rows of a key and 1m after the first row of a key"),
                (kafka, mode + "{repeat: {after_any: [default, {element_count: 2}]}}",
                 "a row 30s after the end of its window or 2 rows of a key"),
                (kafka, mode + "never", "a row 30s after the end of its window and the 10m of its lateness")):
            with self.subTest(trigger):
                path = self.file("x.yaml", text.replace("size: 5m", "size: 5m" + trigger))
                done = self.windrow("check", path)
                self.assertIn(f"    Combine: first result no earlier than {first}\n", done.stdout, done.stderr)
                step = json.loads(self.windrow("explain", "--json", path).stdout)[1]
                self.assertEqual(step["first_result"], "no earlier than " + first)

    def test_a_state_has_one_process(self):
        path = self.file("x.yaml", STDIN)
        words = ("run", str(path), "--state", "state")
        with subprocess.Popen([cli_case.windrow, *words], cwd=self.path, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as first:
            first.stdin.write('{"v": 1}\n')
            first.stdin.flush()
            self.assertTrue(any('{"v": 1}' in line for line in first.stderr))
            second = self.windrow(*words)
            self.assertEqual(second.returncode, 75, second.stderr)
            self.assertIn("directory=state", second.stderr)
            first.stdin.close()
            self.assertEqual(first.wait(timeout=60), 0)

    def test_too_many_bad_records_end_with_65(self):
        path = self.file("x.yaml", BREAKER)
        self.file("in.ndjson", '{"v": 1}\n' * 10 + "nonsense\n" * 10)
        done = self.windrow("run", path)
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertIn("max_bad_ratio", done.stderr)
        self.assertRegex(done.stderr, r"set aside: \d+ \w+")  # what was read until then, and why it was bad
        self.assertIn("ended by an error", done.stderr)
        self.file("in.ndjson", '{"v": 1}\n' * 100 + "nonsense\n" * 10)
        self.assertEqual(self.windrow("run", path).returncode, 0)

    def test_a_broker_away_for_give_up_after_ends_with_69(self):
        done = self.windrow("run", self.file("x.yaml", KAFKA))
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("127.0.0.1:1", done.stderr)

    def test_an_input_that_is_not_there_is_named_with_the_directory_it_was_looked_for_in(self):
        path = self.file("x.yaml", BREAKER)
        self.assertIn(f"no file matches: path=in.ndjson working directory={self.path}", self.refused("run", path, code=78))
        told = self.refused("run", path, "--input", "nofile", "--until-eof")
        self.assertIn(f"--input: line source: no file matches: path=nofile working directory={self.path}", told)

    def test_mixed_types_are_shown_where_they_stand(self):
        self.file("in.ndjson", '{"v": 1}\n{"v": "x"}\n')
        path = self.file("x.yaml", BREAKER.replace(", schema: {properties: {v: {type: integer}}}", ""))
        told = self.refused("check", path, code=78)
        self.assertIn("types=integer,string at=in.ndjson:2", told)
        self.assertIn("give one, such as {properties: {NAME: {type: string}}}", told)

    def test_files_without_tests_are_a_wrong_use_and_say_what_a_test_is(self):
        told = self.windrow("test", self.file("x.yaml", PLAIN))
        self.assertEqual(told.returncode, 64)
        self.assertIn("no tests in", told.stderr)
        self.assertIn("`tests`", told.stderr)

    def test_the_examples_are_tested_from_anywhere(self):
        done = self.windrow("test", *sorted(EXAMPLES.glob("*.yaml")))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"\n\d+ passed, 0 failed\n")


if __name__ == "__main__":
    cli_case.main()
