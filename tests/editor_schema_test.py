#!/usr/bin/python3
"""The JSON Schema of `windrow schema --json`: it takes what the checker takes, and refuses misspelt names.

Usage: editor_schema_test.py PATH-OF-WINDROW
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

import yaml

try:
    import jsonschema
except ImportError:
    if os.environ.get("CI"):
        raise
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parent.parent
WINDROW = ""

# Files under tests/check that are refused for what they are, not for what they refer to.
REFUSED = """e100 e100_config e100_sketch e101 e101_aggregate e101_calendar e101_later e101_setting e101_trigger e104_q e104_unit
    e105 e107 e120 e121 e127 e141 e141_precision e141_q e141_q_empty e141_q_many e141_type""".split()


class Loader(yaml.SafeLoader):
    """YAML's core schema, as the checker types values: no dates, no `yes`."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in [("null", r"^(~|null|Null|NULL|)$", "~nN\0"), ("bool", r"^(true|True|TRUE|false|False|FALSE)$", "tTfF"),
                            ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
                            ("float", r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$", "-+.0123456789")]:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first) + ([""] if tag == "null" else []))


def documents(*patterns):
    return [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]


class EditorSchemaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        text = subprocess.run([WINDROW, "schema", "--json"], capture_output=True, text=True, check=True).stdout
        cls.schema = json.loads(text)
        cls.validator = jsonschema.Draft7Validator(cls.schema)

    def faults(self, text):
        document = yaml.load(text.replace("{{ topic }}", "clicks"), Loader)
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in self.validator.iter_errors(document)]

    def test_it_is_a_schema(self):
        jsonschema.Draft7Validator.check_schema(self.schema)

    def test_examples_and_near_misses_are_accepted(self):
        paths = documents("examples/*.yaml", "tests/check/*_ok.yaml", "tests/beam_yaml/*.yaml")
        self.assertGreater(len(paths), 80)
        for path in paths:
            with self.subTest(path.name):
                self.assertEqual(self.faults(path.read_text()), [])

    def test_what_is_wrong_by_itself_is_refused(self):
        for name in REFUSED:
            with self.subTest(name):
                self.assertNotEqual(self.faults((ROOT / f"tests/check/{name}.yaml").read_text()), [])

    def test_names_are_refused_where_they_do_not_belong(self):
        good = (ROOT / "examples/pageviews.yaml").read_text()
        for right, wrong in [("type: Combine", "type: Combines"), ("group_by:", "groupby:"), ("allowed_lateness:", "alowed_lateness:"),
                             ("max_out_of_orderness:", "max_out_of_order:"), ("unit: ms", "unit: msec"),
                             ("fn: ", "func: "), ("pipeline:", "pipelin:")]:
            with self.subTest(wrong):
                self.assertIn(right, good)
                self.assertNotEqual(self.faults(good.replace(right, wrong, 1)), [])


if __name__ == "__main__":
    WINDROW = os.path.abspath(sys.argv.pop(1))
    unittest.main()
