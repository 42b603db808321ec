#!/usr/bin/python3
# Served launches as clients use them: values, ids and bounds, limits, and what
# a launch may cost.
import re
import subprocess
import unittest

import harness
from harness import KERNELS, SystemTest, status_of, variants, wait_until
from served import (BAD_BUFFER, BAD_COUNT, BAD_GRID, BAD_KERNEL,
                    BAD_OFFSET, COUNT, EXHAUSTED, INVALID, NOT_FOUND, OK,
                    OUT_OF_RANGE, PRECONDITION, Adder, Refused, ServedClient,
                    executors)


class ServedTest(SystemTest):
    def adder(self, **options):
        client = Adder(self.daemon, **options)
        self.addCleanup(client.close)
        return client

    def refused(self, client, *words):
        with self.assertRaises(Refused) as caught:
            client.ask(*words)
        return caught.exception.code

    def test_values_are_right_and_one_executor_serves_a_session(self):
        first, second = self.adder(), self.adder()
        for client in (first, second):
            client.check()
        self.assertEqual(2, len(executors(self.daemon)))
        first.open()
        first.check()
        self.assertEqual(2, len(executors(self.daemon)))

    def test_what_makes_no_sense_completes_with_its_error(self):
        client = self.adder()
        good = client.arguments()
        missing = 5 << 44  # No session has a buffer of this generation yet.
        for status, code, detail, options in (
                (BAD_KERNEL, NOT_FOUND, 0, {"kernel": 0}),
                (BAD_KERNEL, NOT_FOUND, 0, {"kernel": client.kernel + 1}),
                (BAD_KERNEL, NOT_FOUND, 0, {"kernel": 2**32 - 1}),
                (BAD_COUNT, INVALID, 4, {"arguments": good[:3]}),
                (BAD_COUNT, INVALID, 4, {"arguments": good + [1]}),
                (BAD_GRID, INVALID, 0, {"grid": (2**31, 2**31, 2)}),
                (BAD_BUFFER, NOT_FOUND, 0, {"arguments": [missing] + good[1:]}),
                (BAD_BUFFER, NOT_FOUND, 1,
                 {"arguments": [good[0], 2**64 - 1] + good[2:]}),
                (BAD_OFFSET, OUT_OF_RANGE, 2,
                 {"arguments": good[:2] + [f"2+{4 * COUNT + 1}", COUNT]}),
                (0, OK, 0, {"arguments": good[:2] + [f"2+{4 * COUNT}", 0]})):
            client.submit(9, **options)
            self.assertEqual([(9, code, status, detail)],
                             client.wait(client.ring), options)
        client.check()

    def test_ids_that_were_given_back_name_nothing(self):
        client = self.adder()
        # The third argument keeps naming the buffer that is freed.
        word = client.arguments()
        old = int(client.ask("buffer", 4096))
        client.ask("free", old)
        kernel = client.kernel
        client.ask("unload", kernel)
        client.kernel = client.load()
        self.assertNotEqual(kernel, client.kernel)
        client.submit(1, kernel=kernel)
        self.assertEqual([(1, NOT_FOUND, BAD_KERNEL, 0)],
                         client.wait(client.ring))
        self.assertEqual(NOT_FOUND, self.refused(client, "unload", kernel))
        client.submit(2, arguments=word)
        self.assertEqual([(2, OK, 0, 0)], client.wait(client.ring))

    def test_a_kernel_of_another_session_has_no_name_here(self):
        first, second = self.adder(), self.adder()
        softmax = first.load("softmax_f32")
        self.assertNotEqual(softmax, second.kernel)
        second.submit(1, kernel=softmax)
        self.assertEqual([(1, NOT_FOUND, BAD_KERNEL, 0)],
                         second.wait(second.ring))
        # Nor its buffers: the second has three, the first a fourth.
        fourth = int(first.ask("buffer", 4096))
        self.assertEqual(3, fourth - 1)
        first.check()
        second.check()

    def test_an_evicted_kernel_stays_loaded(self):
        client = self.adder()
        key = client.ask("compile", KERNELS / "add_f32.ttir")
        self.daemon.quern("evict", key)
        client.check()
        self.assertEqual(NOT_FOUND, self.refused(client, "load", key))

    def test_a_forked_child_is_told_that_it_cannot(self):
        client = self.adder()
        self.assertEqual(str(PRECONDITION), client.ask("fork", client.ring))
        client.check()

    def test_an_executor_is_confined(self):
        self.adder().check()
        pid, = executors(self.daemon)
        self.assertEqual("2", status_of(pid)["Seccomp"])
        self.assertEqual("1", status_of(pid)["NoNewPrivs"])
        tasks = harness.Path(f"/proc/{pid}/task")
        for task in tasks.iterdir():
            self.assertIn("Seccomp:\t2", (task / "status").read_text())
        # The standard ones and a socket; those of its ring, when it has mapped
        # them, are closed.
        opened = harness.Path(f"/proc/{pid}/fd")
        wait_until(lambda: len(list(opened.iterdir())) == 4,
                   "no descriptor but four")
        maps = harness.Path(f"/proc/{pid}/maps").read_text()
        self.assertNotRegex(maps, r"(?m)^\S+ .wx")

    def calls_while_launching(self, traced, follow, client, launches):
        """The system calls of a process, by name, while `client` launches."""
        with open(self.daemon.folder / "strace", "w+") as out:
            tracer = subprocess.Popen(
                ["strace", *follow, "-c", "-U", "name,calls", "-p",
                 str(traced)], stderr=out)
            self.addCleanup(tracer.wait)
            self.addCleanup(tracer.kill)
            wait_until(lambda: status_of(traced).get("TracerPid") ==
                       str(tracer.pid), "strace has attached")
            client.ask("stream", client.ring, client.kernel, launches,
                       *client.arguments())
            tracer.send_signal(harness.signal.SIGINT)
            tracer.wait(harness.SLOW)
            out.seek(0)
            text = out.read()
        calls = dict((name, int(count)) for name, count in
                     re.findall(r"(?m)^(\w+) +(\d+)$", text))
        calls.pop("total", None)
        return calls

    def test_both_ends_spinning_make_no_system_call(self):
        harness.skip_without_strace()
        client = self.adder()
        pid, = executors(self.daemon)
        launches = 20_000
        client.ask("stream", client.ring, client.kernel, 1000,
                   *client.arguments())
        # All threads of the executor; of the client, the one that launches.
        for traced, follow in ((pid, ["-f"]), (client.process.pid, [])):
            # A sleep now and then is the scheduler's, on a machine of few
            # cores, and more of them when others use those; nothing but
            # sleeping and waking, and far from one a launch.
            for _ in range(10):
                calls = self.calls_while_launching(traced, follow, client,
                                                   launches)
                sleeps = calls.pop("futex", 0)
                calls.pop("restart_syscall", None)
                self.assertLessEqual(sum(calls.values()), 8, calls)
                if sleeps < launches / 4:
                    break
            self.assertLess(sleeps, launches / 4)


class LimitsTest(SystemTest):
    LIMITS = ("rings_per_session_max: 2 ring_slots_max: 8 "
              "buffers_per_session_max: 3 "
              "buffer_bytes_per_session_max: 1048576 "
              "served_kernels_per_session_max: 1")

    def test_at_each_limit_and_one_past_it(self):
        client = ServedClient(self.daemon)
        self.addCleanup(client.close)
        refused = lambda *words: ServedTest.refused(self, client, *words)
        self.assertEqual(OUT_OF_RANGE, refused("ring", 16))
        self.assertEqual(OUT_OF_RANGE, refused("ring", 0))
        self.assertEqual(OUT_OF_RANGE, refused("ring", 3))
        rings = [client.ask("ring", 8) for _ in range(2)]
        self.assertEqual(EXHAUSTED, refused("ring", 8))
        client.ask("close", rings[0])
        client.ask("ring", 1)

        self.assertEqual(EXHAUSTED, refused("buffer", 1048577))
        self.assertEqual(OUT_OF_RANGE, refused("buffer", 0))
        whole = client.ask("buffer", 1048576)
        self.assertEqual(EXHAUSTED, refused("buffer", 1))
        client.ask("free", whole)
        buffers = [client.ask("buffer", 1) for _ in range(3)]
        self.assertEqual(EXHAUSTED, refused("buffer", 1))
        client.ask("free", buffers[1])
        client.ask("buffer", 1)

        first = client.load()
        key = client.ask("compile", KERNELS / "add_f16.ttir")
        self.assertEqual(EXHAUSTED, refused("load", key))
        client.ask("unload", first)
        client.ask("load", key)


class RetiredSlabTest(SystemTest):
    LIMITS = "slab_size_bytes: 16384 code_memory_bytes_max: 65536"

    def test_a_kernel_of_a_retired_slab_runs_on_and_is_not_loaded_anew(self):
        client = Adder(self.daemon)
        self.addCleanup(client.close)
        key = client.ask("compile", KERNELS / "add_f32.ttir")
        for text in variants("add_f32", 24):
            self.daemon.quern("compile", self.daemon.write("v.ttir", text))
        memory = self.daemon.stats()["memory"]
        self.assertGreaterEqual(memory["retired_slabs"], 1)
        client.check()
        self.daemon.quern("evict", key)  # From the disk.
        self.assertEqual(NOT_FOUND, ServedTest.refused(self, client, "load",
                                                       key))
        # The next executor gets it too: the session holds its slab.
        pid, = executors(self.daemon)
        harness.os.kill(pid, harness.signal.SIGKILL)
        wait_until(lambda: not executors(self.daemon), "it is gone")
        client.open()
        client.check()
        # Nothing but the session kept the slab.
        client.close()
        wait_until(lambda: self.daemon.stats()["memory"]["retired_slabs"] == 0,
                   "the slab is gone")


class NoExecutorTest(SystemTest):
    REST = 'executor { path: "/nowhere/quern-executor" }'

    def test_a_missing_program_fails_rings_and_nothing_else(self):
        client = ServedClient(self.daemon)
        self.addCleanup(client.close)
        client.load()
        client.ask("buffer", 4096)
        with self.assertRaises(Refused) as caught:
            client.ask("ring", 8)
        self.assertEqual(NOT_FOUND, caught.exception.code)
        self.assertNotIn("nowhere", str(caught.exception))
        client.ask("buffer", 4096)


if __name__ == "__main__":
    harness.main()
