#!/usr/bin/python3
# A look-up of a known key makes no system call; a compile of a known source by
# another process no compile.
import subprocess
import unittest

import harness
from harness import KERNELS, SystemTest, program

ADD = KERNELS / "add_f32_block128.ttir"


class LookupTest(SystemTest):
    def system_calls(self, lookups):
        """How many system calls the thread makes that looks up so often; what
        the client's others do in that time is not its look-ups'."""
        calls = self.daemon.folder / "calls"
        done = subprocess.run(
            ["strace", "-o", str(calls), program("test-client"), "lookup",
             str(self.daemon.folder), str(ADD), str(lookups)],
            capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return len(calls.read_text().splitlines())

    def test_a_known_key_costs_no_system_call(self):
        harness.skip_without_strace()
        self.daemon.json("compile", ADD)
        few = min(self.system_calls(1) for _ in range(3))
        many = min(self.system_calls(100_000) for _ in range(3))
        self.assertLess(many - few, 20)

    def test_another_process_finds_the_kernel(self):
        first = self.daemon.json("compile", ADD)
        second = self.daemon.json("compile", ADD)
        self.assertTrue(second["cached"])
        self.assertEqual(first["key"], second["key"])
        self.assertEqual(self.daemon.stats()["compiles"], 1)


if __name__ == "__main__":
    harness.main()
