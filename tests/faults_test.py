"""One system call or allocation fails: what was written before is whole, and the next start goes on.

Usage: faults_test.py PATH-OF-WINDROW PATH-OF-THE-PRELOADED-LIBRARY

Calls on the state directory fail in turn, the Nth for N = 1 .. until a run does not come that far:
open, write, fsync, rename, link, unlink, mkdir, each by EIO, every fourth by ENOSPC, or by a write
that takes half.  The start that meets the fault ends by itself with a message, or goes on; the next one, where
nothing fails, ends with the tables of a run without a failure.

WINDROW_FAULT_EVERY=1 tries every allocation (./run soak), else some of them.
"""
import errno
import os
import signal
import subprocess
import sys

import cli_case
from durable_case import DurableCase

library = ""


class FaultsTest(DurableCase):
    VIEWS = 1300
    WORDS = ("run", "job.yaml", "--state", "state", "--set", "snapshot_bytes=20KiB")

    def faulty(self, **faults):
        env = {f"WINDROW_FAULT_{name.upper()}": str(value) for name, value in faults.items()}
        return subprocess.run([cli_case.windrow, *self.WORDS], capture_output=True, text=True, timeout=120, cwd=self.path,
                              env={**os.environ, **env, "LD_PRELOAD": library})

    def counts(self):
        """Calls on the state and allocations of a run without a fault."""
        self.fresh()
        done = self.faulty(path=str(self.path / "state"), count="count")
        self.assertEqual(done.returncode, 0, done.stderr)
        calls, allocations = map(int, (self.path / "count").read_text().split())
        return calls, allocations

    def test_every_call_on_the_state_fails_once(self):
        calls, _ = self.counts()
        self.assertGreater(calls, 40)
        ended = {}
        for failure in (errno.EIO, errno.ENOSPC, 0):
            for nth in range(1, calls + 1, 1 if failure == errno.EIO else 4):
                self.fresh()
                met = self.faulty(path=str(self.path / "state"), nth=nth, errno=failure)
                how = f"call {nth} of {calls}: {os.strerror(failure) if failure else 'half a write'}: {met.stderr}"
                self.assertIn(met.returncode, (0, 74), how)
                if failure == 0:
                    self.assertEqual(met.returncode, 0, how)
                if met.returncode == 74:
                    self.assertIn(str("state"), met.stderr)
                ended[met.returncode] = ended.get(met.returncode, 0) + 1
                self.expect_recovery(how)
        print(f"{calls} calls; starts by exit code: {ended}")
        self.assertGreater(ended[74], 10)

    def test_allocations_fail(self):
        _, allocations = self.counts()
        step = 1 if os.environ.get("WINDROW_FAULT_EVERY") else max(1, allocations // 80)
        ended = {}
        for nth in range(1, allocations, step):
            self.fresh()
            met = self.faulty(malloc=nth)
            how = f"allocation {nth} of {allocations}: {met.stderr[-800:]}"
            # 70: told; -6: where an exception may not pass.  Never a signal that shows a wrong pointer.
            self.assertIn(met.returncode, (0, 70, 69, 74, 78, -signal.SIGABRT), how)
            ended[met.returncode] = ended.get(met.returncode, 0) + 1
            self.expect_recovery(how)
        print(f"{allocations} allocations, every {step}th; starts by exit code: {ended}")


if __name__ == "__main__":
    library = os.path.abspath(sys.argv.pop(2))
    cli_case.main()
