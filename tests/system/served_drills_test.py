#!/usr/bin/python3
# What can fail under served launches, one drill each: it takes its own session
# and nothing else.
import ctypes
import itertools
import mmap
import os
import platform
import random
import signal
import struct
import time
import unittest
from pathlib import Path

import harness
from attach_test import Peer, request
from harness import SystemTest, alive, wait_until
from served import (ABORTED, COUNT, CRASHED, DAEMON_GONE, ENDED, EXHAUSTED,
                    KILLED, OK, TIME_OUT, TIMED_OUT, UNAVAILABLE, Adder,
                    Refused, executors)


ALLOC_BUFFER, OPEN_RING, RING = 6, 8, 70  # attach_protocol.h
LIBC = ctypes.CDLL(None)
FUTEX = {"x86_64": 202, "aarch64": 98}[platform.machine()]


def descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def mappings(pid):
    """Of files and shared memory. Others come and go with gRPC's threads."""
    lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return sum("/" in line for line in lines)


class DrillsTest(SystemTest):
    def adder(self, **options):
        client = Adder(self.daemon, **options)
        self.addCleanup(client.close)
        return client

    def only_executor(self, before=()):
        pid, = set(executors(self.daemon)) - set(before)
        return pid

    def expect_flat(self, before):
        """Waits until the daemon has no more descriptors and mappings than
        `before`, but for a few of gRPC's; one for each turn of a test would be
        many more."""
        def flat():
            now = descriptors(self.daemon.pid), mappings(self.daemon.pid)
            return all(count <= was + 6 for count, was in zip(now, before))
        wait_until(flat, f"descriptors and mappings are flat, as {before}")

    def expect_ended(self, client, tags, code, state):
        self.assertEqual([(tag, code, ENDED, state) for tag in tags],
                         client.wait(client.ring))
        with self.assertRaises(Refused) as caught:
            client.submit(99)
        self.assertEqual(code, caught.exception.code)
        # Buffers and kernels are there for the next.
        client.open()
        client.check()

    def test_an_executor_killed_mid_launch(self):
        other = self.adder()
        client = self.adder()
        pid = self.only_executor(executors(self.daemon)[:1])
        client.check()
        client.submit_forever(1)
        client.submit(2)
        client.submit(3)
        os.kill(pid, signal.SIGKILL)
        self.expect_ended(client, (1, 2, 3), ABORTED, KILLED)
        other.check()
        self.assertFalse(alive(pid))
        counted = self.daemon.stats()["executors"]
        self.assertEqual((2, 3, 1, 0), (counted["running"], counted["started"],
                                        counted["killed"], counted["crashed"]))

    def test_what_completed_before_the_end_counts(self):
        client = self.adder()
        client.submit(1)
        client.submit_forever(2)
        client.submit(3)
        self.assertEqual([(1, OK, 0, 0)], client.wait(client.ring))
        os.kill(self.only_executor(), signal.SIGKILL)
        self.expect_ended(client, (2, 3), ABORTED, KILLED)

    def test_a_bad_pointer(self):
        other = self.adder()
        client = self.adder()
        client.submit(1, arguments=["0"] + client.arguments()[1:])
        self.expect_ended(client, (1,), ABORTED, CRASHED)
        # Far beyond its buffer, where nothing is mapped.
        client.submit(2, (2**21, 1, 1), client.arguments()[:3] + [2**31 - 1])
        self.expect_ended(client, (2,), ABORTED, CRASHED)
        other.check()
        self.assertEqual(2, self.daemon.stats()["executors"]["crashed"])

    def test_the_daemon_killed_with_launches_outstanding(self):
        client = self.adder()
        pid = self.only_executor()
        client.submit_forever(1)
        # Told by the daemon's end, not by that of this wait.
        client.begin("wait", client.ring, 64, 3_600_000)
        self.daemon.kill()
        self.assertEqual(f"1:{UNAVAILABLE}:{ENDED}:{DAEMON_GONE}", client.end())
        wait_until(lambda: not alive(pid), "the executor is gone")
        with self.assertRaises(Refused) as caught:
            client.submit(2)
        self.assertEqual(UNAVAILABLE, caught.exception.code)

    def test_the_daemons_orderly_end_with_launches_outstanding(self):
        client = self.adder()
        pid = self.only_executor()
        client.submit_forever(1)
        self.assertEqual(0, self.daemon.stop())
        (tag, code, status, _), = client.wait(client.ring)
        self.assertEqual((1, UNAVAILABLE, ENDED), (tag, code, status))
        self.assertFalse(alive(pid))

    def test_a_ring_closed_while_its_launch_runs(self):
        client = self.adder()
        # A ring that is closed before its launch begins takes no thread.
        client.run_forever(1, self.only_executor())
        old = client.ring
        client.open()
        client.ask("close", old)
        client.check()
        for _ in range(2):  # Two of four threads are free.
            client.open()
            client.check()
        with self.assertRaises(Refused) as caught:
            client.open()
        self.assertEqual(EXHAUSTED, caught.exception.code)
        client.check()

    def test_killed_clients_leave_nothing_behind(self):
        self.adder().close()
        wait_until(lambda: not executors(self.daemon), "no executor")
        pid = self.daemon.pid
        before = descriptors(pid), mappings(pid)
        for _ in range(10):
            clients = [Adder(self.daemon) for _ in range(3)]
            for client in clients:
                client.submit_forever(1)
                client.submit(2)
            for client in clients:
                client.close()  # By SIGKILL.
        wait_until(lambda: not executors(self.daemon), "no executor")
        self.expect_flat(before)

    def test_executors_that_end_again_and_again_leave_nothing_behind(self):
        client = self.adder()
        pid = self.daemon.pid
        before = None
        for turn in range(20):
            client.submit_forever(1)
            os.kill(self.only_executor(), signal.SIGKILL)
            self.assertEqual([(1, ABORTED, ENDED, KILLED)],
                             client.wait(client.ring))
            client.ask("close", client.ring)
            client.open()
            client.check()
            if turn == 1:
                before = descriptors(pid), mappings(pid)
        self.expect_flat(before)

    def test_a_client_that_overwrites_its_ring_disturbs_nobody(self):
        other = self.adder()
        peer = Peer(self.daemon)
        self.addCleanup(peer.close)
        peer.hello()
        _, _, _, size, _, buffer = peer.ask(request(ALLOC_BUFFER, 4096))
        os.close(buffer)
        kind, _, _, size, _, fd = peer.ask(request(OPEN_RING, 16))
        self.assertEqual(RING, kind)
        ring = mmap.mmap(fd, size)
        os.close(fd)
        dice = random.Random(7)
        # The address stays valid as long as the array that was made of it.
        memory = (ctypes.c_char * size).from_buffer(ring)
        submissions, stride = 512, 1088
        # On a busy machine the executor may not have had its turn by then.
        end = time.monotonic() + harness.SLOW
        for turn in itertools.count():
            progress, = struct.unpack("<Q", ring[256:264])
            if turn >= 200_000 and (progress > 2000 or
                                    time.monotonic() > end):
                break
            # Any word; and the next sequence, with a kernel and a number of
            # arguments that may be right.
            at = dice.randrange(size // 4) * 4
            if at not in (256, 260):  # Its progress is looked at below.
                ring[at:at + 4] = dice.randbytes(4)
            taken = progress // 2
            slot = submissions + taken % 16 * stride
            ring[slot + 28:slot + 30] = struct.pack("<H", dice.randrange(130))
            ring[slot:slot + 8] = struct.pack("<II", taken + 1,
                                              dice.choice((0, 4096)))
            if turn % 8 == 0:  # Wakes the executor.
                LIBC.syscall(FUTEX, ctypes.byref(memory, 128), 1, 1, 0, 0, 0)
        self.assertGreater(progress, 2000)
        other.check()
        self.assertTrue(alive(self.daemon.pid))
        peer.close()
        wait_until(lambda: len(executors(self.daemon)) == 1,
                   "its executor ends")
        other.check()

    def test_four_clients_launch_a_million_times_in_order(self):
        clients = [self.adder(slots=1024) for _ in range(4)]
        for client in clients:
            client.begin("stream", client.ring, client.kernel, 250_000,
                         *client.arguments()[:3], 0)
        for client in clients:
            self.assertGreater(int(client.end()), 0)


class TimeLimitTest(SystemTest):
    LIMITS = "launch_timeout { seconds: 2 }"

    def test_a_launch_that_never_ends_is_ended(self):
        client = Adder(self.daemon)
        self.addCleanup(client.close)
        started = time.monotonic()
        client.submit_forever(1)
        self.assertEqual([(1, TIME_OUT, ENDED, TIMED_OUT)],
                         client.wait(client.ring))
        self.assertGreater(time.monotonic() - started, 1.9)
        self.assertEqual(1, self.daemon.stats()["executors"]["timed_out"])
        client.open()
        client.check()

    def test_many_short_launches_outlive_the_limit(self):
        client = Adder(self.daemon)
        self.addCleanup(client.close)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            client.ask("stream", client.ring, client.kernel, 1000,
                       *client.arguments())


class ClosedRingTest(SystemTest):
    LIMITS = "launch_timeout { seconds: 3 }"

    def test_a_launch_that_never_ends_in_a_closed_ring_is_ended(self):
        client = Adder(self.daemon)
        self.addCleanup(client.close)
        pid, = executors(self.daemon)
        old = client.ring
        client.run_forever(1, pid)
        client.open()
        client.ask("close", old)
        wait_until(lambda: self.daemon.stats()["executors"].get("timed_out"),
                   "the executor is ended")
        client.open()
        client.check()


class HardenedTest(unittest.TestCase):
    def test_it_works_where_no_memory_may_become_executable(self):
        if not harness.has_mdwe():
            self.skipTest("this kernel has no PR_SET_MDWE")
        daemon = harness.Daemon(wrapper=harness.MDWE)
        self.addCleanup(daemon.close)
        client = Adder(daemon)
        self.addCleanup(client.close)
        client.check()


if __name__ == "__main__":
    harness.main()
