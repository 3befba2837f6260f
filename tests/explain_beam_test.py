"""`windrow check --explain-beam`: what Apache Beam refuses or takes otherwise, point by point.

What Beam does was observed on apache-beam 2.77, whose messages are not repeated here.
Usage: explain_beam_test.py PATH-OF-WINDROW
"""
import json

import cli_case
from cli_case import CliCase, EXAMPLES

# Beam's keys only, and nothing that means something else there.
PLAIN = """\
pipeline:
  type: chain
  transforms:
    - {type: Create, config: {elements: [{k: a, v: 1, t: 5}]}}
    - {type: AssignTimestamps, config: {timestamp: t}}
    - type: Combine
      windowing: {type: fixed, size: 5m}
      config: {group_by: k, combine: {n: {value: v, fn: sum}}}
    - {type: LogForTesting}
"""
KAFKA = """\
pipeline:
  type: chain
  transforms:
    - {type: ReadFromKafka, config: {topic: t, bootstrap_servers: "b:1", format: STRING}}
    - {type: AssignTimestamps, config: {timestamp: payload}}
    - {type: Combine, windowing: {type: fixed, size: 5m}, config: {group_by: payload, combine: {n: count}}}
    - {type: LogForTesting}
"""
SCHEMA = ("""schema: '{"properties": {"t": {"type": "integer"}, "k": {"type": "string"}, """
          """"v": {"type": "integer"}}}'""")


class ExplainBeamTest(CliCase):
    def points(self, text, *words):
        done = self.windrow("check", "--explain-beam", "--json", self.file("job.yaml", text), *words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        found = [f for f in json.loads(done.stdout) if f["severity"] == "beam"]
        return [(f["code"], f"{f['line']}:{f['column']}", f["text"]) for f in found]

    # `after` marks a place with ^: the points, and that place.
    def changed(self, before, after):
        self.assertEqual(PLAIN.count(before), 1)
        text = PLAIN.replace(before, after)
        before = text[:text.index("^")]
        return self.points(text.replace("^", "")), f"{before.count(chr(10)) + 1}:{len(before.split(chr(10))[-1]) + 1}"

    def test_a_file_of_beams_keys_means_the_same(self):
        self.assertEqual(self.points(PLAIN), [])
        text = self.windrow("check", "--explain-beam", self.file("job.yaml", PLAIN))
        self.assertIn("runs on Beam too", text.stdout)
        self.assertIn("On Beam it means the same.", text.stdout)

    def test_keys_of_windrows_own_are_refused_there_each_by_its_place(self):
        window, source = "{type: fixed, size: 5m", "Create, config: {elements: [{k: a, v: 1, t: 5}]}"
        for before, after, word in (
                (window, window + ", ^allowed_lateness: 10m, accumulation_mode: discarding", "always 0s"),
                (window, window + ", ^trigger: default, allowed_lateness: 0s", "always `default`"),
                (window, window + ", ^accumulation_mode: discarding", "always discarding"),
                (window, window + ", ^closing_behavior: emit_always", "'closing_behavior'"),
                ("timestamp: t", "timestamp: t, ^unit: s", "Beam counts seconds"),
                ("fn: sum", "fn: ^variance", "aggregate 'variance'"),
                ("fn: sum", "fn: {type: ^first}", "aggregate 'first'"),
                ("size: 5m", "size: ^500us", "'us' is a unit"),
                ("LogForTesting", "^WriteToSqlite, config: {path: p, table: t}", "'WriteToSqlite'"),
                ("LogForTesting", "WriteToJson, config: {path: p, ^key: [window_start, k]}", "'key'"),
                ("LogForTesting", "ExtractWindowingInfo, config: {fields: [^deleted]}", "'deleted'"),
                (source, "ReadFromKafka, config: {topic: t, bootstrap_servers: 'b:1', format: ^NDJSON, %s}" % SCHEMA,
                 "format 'NDJSON'"),
                (source, "ReadFromKafka, config: {topic: t, bootstrap_servers: 'b:1', format: JSON, "
                 "consumer_config: {security.protocol: {^env: X}}, %s}" % SCHEMA, "a secret")):
            with self.subTest(after):
                points, place = self.changed(before, after)
                refused = [(p, text) for code, p, text in points if code == "refused"]
                self.assertEqual([p for p, _ in refused][:1], [place], refused)
                self.assertIn(word, refused[0][1])

    def test_what_is_refused_as_a_whole_is_one_point(self):
        for before, after in (
                ("timestamp: t", "timestamp: t, ^watermark: {max_out_of_orderness: 1s, all_idle: clock}"),
                ("LogForTesting", "^WriteToSqlite, config: {path: '${X:p}', table: t, key: [window_start, k]}"),
                ("fn: sum", "fn: {type: ^stddev, config: {population: true}}")):
            with self.subTest(after):
                points, place = self.changed(before, after)
                self.assertEqual([(code, p) for code, p, _ in points], [("refused", place)])

    def test_what_runs_there_with_another_meaning_says_which(self):
        for before, after, word in (
                ("size: 5m", "size: ^1d", "'1d' is 24h here; Beam YAML takes a day as 12 hours"),
                ("size: 5m", "size: 5m, offset: ^0.5d", "'0.5d' is 12h here"),
                ("group_by: k", "group_by: ^'${BY:k}'", "Beam takes the text as it stands"),
                ("Create, config: {elements: [{k: a, v: 1, t: 5}]}", "ReadFromJson, config: {path: ^'-', %s}" % SCHEMA,
                 "stdin"),
                ("LogForTesting", "WriteToJson, config: {path: ^'-'}", "stdout"),
                ("type: LogForTesting", "type: ^WriteToJson, config: {path: p}", "Beam writes new files"),
                ("type: LogForTesting", "type: ^WriteToKafka, config: {topic: t, bootstrap_servers: 'b:1', format: JSON}",
                 "the key is constant")):
            with self.subTest(after):
                points, place = self.changed(before, after)
                self.assertIn(("differs", place, True), [(code, p, word in text) for code, p, text in points])

    def test_time_and_offsets_of_kafka_are_told(self):
        points = self.points(KAFKA)
        self.assertEqual([(code, place) for code, place, _ in points], [("differs", "4:14")] * 2 + [("differs", "5:14")])
        for at, word in enumerate(("time of arrival", "commits them by itself", "source's watermark stays")):
            self.assertIn(word, points[at][2])

    def test_settings_are_ignored_there_and_those_of_the_command_are_no_part_of_the_file(self):
        points = self.points(PLAIN + "options: {windrow: {threads: 2, device: cpu}}\n")
        self.assertEqual([(code, place) for code, place, _ in points], [("ignored", "10:11")])
        self.assertEqual(self.points(PLAIN, "--set", "threads=2"), [])
        self.assertIn("runs on Beam too", self.windrow("check", self.path / "job.yaml", "--set", "threads=2").stdout)

    def test_every_key_that_the_reference_marks_is_refused_there(self):
        reference = self.windrow("schema").stdout
        section = reference.split("\n### windowing\n")[1].split("\n### ")[0]
        rows = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
        self.assertGreater(len(rows), 8)
        for row in rows:
            key, own, default = row[1].split("`")[1], "**W**" in row[1], row[3].strip(" `")
            if own:
                given = f", ^{key}: {default}" + (", allowed_lateness: 0s" if key == "trigger" else "")
                points, _ = self.changed("size: 5m", "size: 5m" + given)
                self.assertIn(f"'{key}' is a key of Windrow's own", " ".join(t for _, _, t in points))

    def test_one_file_has_two_variants(self):
        told = self.windrow("check", "--explain-beam", EXAMPLES / "sessions.yaml").stdout
        self.assertIn("Beam refuses what is called refused while it builds the pipeline and has read nothing", told)
        self.assertIn("windowing: {{ win }}", told)
        ours, beams = "{type: fixed, size: 5m, allowed_lateness: 10m, accumulation_mode: accumulating}", "{type: fixed, size: 5m}"
        self.assertIn(f"--var win='{ours}'", told)
        self.assertIn("""--jinja_variables='{"win": "%s"}'""" % beams, told)
        text = PLAIN.replace("{type: fixed, size: 5m}", "{{ win }}")
        self.assertEqual([code for code, _, _ in self.points(text, "--var", f"win={ours}")], ["refused"] * 2)
        self.assertEqual(self.points(text, "--var", f"win={beams}"), [])

    def test_a_file_that_is_wrong_here_is_not_explained(self):
        wrong = self.windrow("check", "--explain-beam", "--json",
                             self.file("job.yaml", PLAIN.replace("size: 5m", "siz: 1d, closing_behavior: emit_always")))
        self.assertEqual(wrong.returncode, 78)
        self.assertEqual({f["severity"] for f in json.loads(wrong.stdout)}, {"error"})


if __name__ == "__main__":
    cli_case.main()
