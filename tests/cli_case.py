"""What the tests of the command share: a directory of their own and the command in it."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

windrow = ""  # path of the command
EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "examples"


class CliCase(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name)

    def tearDown(self):
        self.directory.cleanup()

    def windrow(self, *words, stdin="", env=None):
        return subprocess.run([windrow, *map(str, words)], input=stdin, text=True, capture_output=True,
                              timeout=120, cwd=self.path, env={**os.environ, **(env or {})})

    def file(self, name, text):
        (self.path / name).write_text(text)
        return self.path / name


def main():
    global windrow
    windrow = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
