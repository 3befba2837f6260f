"""The live view in a pseudo-terminal: what is logged is never printed into it, and nothing of it stays.

Usage: terminal_test.py PATH-OF-WINDROW
"""
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import cli_case
from cli_case import CliCase

# Each row that comes by stdin is logged, while the block of a step with a long name is out.
JOB = """\
pipeline:
  type: chain
  transforms:
    - {type: ReadFromJson, name: Views, config: {path: "-", schema: {properties: {url: {type: string}}}}}
    - {type: LogForTesting, config: {prefix: "row "}}
    - type: Combine
      name: PerPageWithANameThatTakesSomeRoomOfTheLine
      windowing: {type: global}
      config: {group_by: url, combine: {views: {value: url, fn: count}}}
    - {type: WriteToJson, config: {path: "%s"}}
"""
ROW = '{"url": "/product/%d"}\n'
LOGGED = re.compile(r'\d\d:\d\d:\d\d\.\d{3} info    row \{"url": "/product/\d+"\}')
BLOCK = re.compile(r"watermark|tombstones; rows|panes \d+ early|\d+/s,")


class Screen:
    """A terminal of so many rows and columns, as far as the command uses one; lines may be longer."""

    def __init__(self, rows, columns):
        self.rows, self.columns = rows, columns
        self.lines, self.line, self.column = [""], 0, 0
        self.moves, self.wraps, self.faults = 0, True, []

    def height(self, line):
        return max(1, -(-len(line) // self.columns))

    def take(self, text):
        for part in re.findall(r"\x1b\[[?\d]*[A-Za-z]|\r|\n|[^\x1b\r\n]+|\x1b", text):
            if part == "\r":
                self.column = 0
            elif part == "\n":
                self.line += 1
                if self.line == len(self.lines):
                    self.lines.append("")
            elif part.endswith("A") and part.startswith("\x1b["):
                self.up(int(part[2:-1]))
            elif part == "\x1b[J":
                self.lines = self.lines[:self.line] + [self.lines[self.line][:self.column]]
            elif part in ("\x1b[?7l", "\x1b[?7h"):
                self.wraps = part.endswith("h")
            elif part.startswith("\x1b"):
                self.faults.append(f"an escape of another kind: {part!r}")
            else:
                before = self.lines[self.line]
                self.lines[self.line] = before[:self.column] + part + before[self.column + len(part):]
                self.column += len(part)
                if not self.wraps and self.column >= self.columns:
                    self.faults.append(f"a line of the block fills the last column: {part!r}")

    def up(self, rows):
        self.moves += 1
        if rows >= self.rows:
            self.faults.append(f"{rows} rows up on a screen of {self.rows}")
        while rows > 0 and self.line > 0:
            self.line -= 1
            rows -= self.height(self.lines[self.line])
        if rows != 0:
            self.faults.append("the cursor is inside of a line")


class TerminalTest(CliCase):
    def in_terminal(self, *words, rows=24, columns=80, kind="xterm", stdout=False, moves=0, reads=True):
        """Exit code, screen, stdout and how many rows it was given, with stderr (and `stdout`) in a terminal.

        If it `reads`, it gets a row about every 10 ms until it has moved the cursor `moves` times, at least 30."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        screen, out = Screen(rows, columns), self.path / "stdout"
        text, given = b"", 0
        with open(out, "w") as file, subprocess.Popen(
                [cli_case.windrow, *map(str, words)], cwd=self.path, env={**os.environ, "TERM": kind}, stderr=theirs,
                stdout=theirs if stdout else file, stdin=subprocess.PIPE) as running:
            os.close(theirs)
            if not reads:
                running.stdin.close()
            deadline = time.monotonic() + 60
            try:
                while time.monotonic() < deadline:
                    time.sleep(0.01)
                    if select.select([ours], [], [], 0)[0]:
                        text += os.read(ours, 65536)
                    if not running.stdin.closed and (given < 30 or text.count(b"\x1b[J") < moves):
                        given += 1
                        os.write(running.stdin.fileno(), (ROW % given).encode())
                    else:
                        running.stdin.close()
            except OSError:  # how a pseudo-terminal ends
                pass
            code = running.wait(timeout=60)
        os.close(ours)
        screen.take(text.decode())
        self.assertEqual(screen.faults, [])
        return code, screen, out.read_text(), given

    def check_job(self, path="out.ndjson", **how):
        code, screen, out, given = self.in_terminal("run", self.file("job.yaml", JOB % path), **how)
        self.assertEqual(code, 0, screen.lines)
        text = "\n".join(screen.lines)
        self.assertEqual(len(LOGGED.findall(text)), given, text)
        for line in screen.lines:
            if "row {" in line:
                self.assertRegex(line, f"^{LOGGED.pattern}$")
        self.assertIn("all input ended", text)
        self.assertGreaterEqual(screen.moves, how.get("moves", 0))
        return screen, out

    def test_log_lines_stand_above_the_block_and_nothing_of_it_stays(self):
        for rows, columns in ((24, 80), (24, 40), (24, 15), (4, 40), (50, 250)):
            with self.subTest(rows=rows, columns=columns):
                screen, _ = self.check_job(rows=rows, columns=columns, moves=10)
                self.assertEqual([line for line in screen.lines if re.search(r"\d/s,", line)], [])

    def test_a_dumb_terminal_gets_lines_only(self):
        for kind in ("dumb", ""):
            self.assertEqual(self.check_job(kind=kind)[0].moves, 0)

    def test_rows_on_the_same_terminal_are_not_drawn_over(self):
        screen, _ = self.check_job("-", stdout=True)
        self.assertEqual(screen.moves, 0)
        rows = [line for line in screen.lines if line.startswith('{"')]
        self.assertGreater(len(rows), 0)
        _, out = self.check_job("-", moves=10)  # into a file they disturb nothing
        self.assertGreater(len(out.splitlines()), 0)

    def test_other_forms_of_the_log_and_quiet_have_no_block(self):
        job = self.file("job.yaml", JOB % "out.ndjson")
        for words in (("--log-format", "json"), ("--log-format", "logfmt"), ("--quiet",)):
            code, screen, _, _ = self.in_terminal("run", job, *words)
            self.assertEqual((code, screen.moves), (0, 0))

    def test_redirected_it_is_plain_lines(self):
        done = self.windrow("run", self.file("job.yaml", JOB % "out.ndjson"), env={"TERM": "xterm"}, stdin=ROW % 1)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("\x1b", done.stderr)

    def test_the_demo_leaves_its_results_and_no_block(self):
        for columns in (80, 40):
            code, screen, out, _ = self.in_terminal("demo", "--fast", "--events", 20000, "--dir", self.path / f"demo{columns}",
                                                    columns=columns, reads=False)
            self.assertEqual(code, 0, screen.lines)
            self.assertIn("matches the truth: yes", out)
            self.assertGreater(screen.moves, 0)
            self.assertEqual([line for line in screen.lines if BLOCK.search(line)], [])


if __name__ == "__main__":
    cli_case.main()
