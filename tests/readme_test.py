#!/usr/bin/python3
"""The pipeline reference in README.md is what `windrow schema` prints.

Usage: readme_test.py PATH-OF-WINDROW [--write]   with --write: writes it there (`./run readme`)
"""
import difflib
import pathlib
import subprocess
import sys

README = pathlib.Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- begin of what `windrow schema` prints -->\n", "<!-- end -->\n"


def main(windrow, *how):
    text = README.read_text()
    before, rest = text.split(BEGIN)
    held, after = rest.split(END)
    printed = subprocess.run([windrow, "schema"], capture_output=True, text=True, check=True).stdout
    if "--write" in how:
        README.write_text(before + BEGIN + "\n" + printed + "\n" + END + after)
        return 0
    difference = list(difflib.unified_diff(held.strip().splitlines(), printed.strip().splitlines(), "README.md", "windrow schema", lineterm="", n=0))
    print("\n".join(difference) or "README.md holds what `windrow schema` prints")
    if difference:
        print("`./run readme` writes it")
    return 1 if difference or not printed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
