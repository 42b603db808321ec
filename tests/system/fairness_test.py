#!/usr/bin/python3
# Who waits for whom: a client with a thousand compiles in the queue delays
# another's single one by the running jobs at most, and a full queue refuses at
# once. With the fake compiler, which takes as long as it is told: so long that
# whoever waited for a turn that is not his would wait longer than the test.
import resource
import statistics
import threading
import time

import harness
from harness import (SystemTest, is_confined, kill_if_there, program,
                     wait_until)
from libquern import Client, Failed, Library

EXHAUSTED = 8
RUNNING_MAX = 2  # Compiles at a time.
FOREVER_MS = 3_600_000


class Flood:
    """One client with `count` compiles of `milliseconds` at once; the daemon
    has one session with as many calls."""

    def __init__(self, daemon, count, milliseconds, word="flood"):
        self.client = Client(Library(harness.BIN), daemon.folder,
                             fail_fast=True)
        self.failures = []
        threading.stack_size(256 << 10)
        self.threads = [
            threading.Thread(target=self.compile, args=(
                f"sleep_ms {milliseconds} {word} {number}",))
            for number in range(count)]
        for thread in self.threads:
            thread.start()

    def compile(self, source):
        try:
            self.client.release(self.client.compile(source,
                                                    timeout_ms=FOREVER_MS))
        except Failed as failure:
            self.failures.append(failure)

    def join(self):
        for thread in self.threads:
            thread.join()
        self.client.close()


class FairnessTest(SystemTest):
    @property
    def REST(self):
        return f'compiler {{ worker_path: "{program("quern-fake-worker")}" }}'

    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE,
                        (soft, hard))
        super().setUp()

    def timed(self, client, source):
        begin = time.monotonic()
        client.release(client.compile(source))
        return time.monotonic() - begin

    def end(self, flood):
        self.daemon.kill()  # Its calls fail; there is nothing else to see.
        flood.join()


class QueueTest(FairnessTest):
    LIMITS = ("queued_compiles_max: 2000 queued_compiles_per_session_max: 2000"
              f" compile_children_max: {RUNNING_MAX}")
    LEFT_MIN = 700  # Of those queued; tests/server/core counts exactly.

    def test_a_thousand_queued_compiles_delay_another_by_those_that_run(self):
        other = Client(Library(harness.BIN), self.daemon.folder)
        self.addCleanup(other.close)
        took = 1  # Of a compile of the flood, in seconds.
        alone = [self.timed(other, f"ok alone{i}") for i in range(9)]
        flood = Flood(self.daemon, 1000, int(took * 1e3))
        wait_until(lambda: self.daemon.stats()["compiles_queued"] >= 900,
                   "the flood is queued")
        queued = self.daemon.stats()["compiles_queued"]
        among = [self.timed(other, f"ok among{i}") for i in range(5)]
        left = self.daemon.stats()["compiles_queued"]
        print(f"a compile alone: median {statistics.median(alone) * 1e3:.1f} "
              f"ms; with {queued} to {left} of another's queued, of "
              f"{took * 1e3:.0f} ms each: median "
              f"{statistics.median(among) * 1e3:.1f}, longest "
              f"{max(among) * 1e3:.1f}")
        # Each waits for a running compile to end, and has the next turn. In
        # its place behind the flood it would have seen the end of that.
        self.assertGreater(left, self.LEFT_MIN)
        self.assertEqual([], flood.failures)
        self.end(flood)


class FullQueueTest(FairnessTest):
    LIMITS = ("queued_compiles_max: 40 queued_compiles_per_session_max: 40 "
              "compile_timeout { seconds: 3600 }")

    def refusal(self, client, source):
        begin = time.monotonic()
        with self.assertRaises(Failed) as caught:
            client.compile(source)
        taken = time.monotonic() - begin
        self.assertEqual(EXHAUSTED, caught.exception.code)
        self.assertIn("the queue is full", caught.exception.message)
        return taken

    def test_a_full_queue_refuses_at_once(self):
        other = Client(Library(harness.BIN), self.daemon.folder)
        self.addCleanup(other.close)
        self.timed(other, "ok first")
        flood = Flood(self.daemon, 50, FOREVER_MS)
        wait_until(lambda: self.daemon.stats()["compiles_queued"] == 40,
                   "the queue is full")
        times = [self.refusal(other, f"ok refused{i}") for i in range(100)]
        self.assertEqual(40, self.daemon.stats()["compiles_queued"])
        print(f"a refusal: median {statistics.median(times) * 1e6:.0f} us, "
              f"longest {max(times) * 1e3:.2f} ms")
        # What another has in the queue does not stand in the way of a cache.
        self.timed(other, "ok first")
        # 2 run, 40 wait, and the rest was refused: nothing has ended yet.
        wait_until(lambda: len(flood.failures) == 8, "the rest is refused")
        self.assertEqual({EXHAUSTED}, {each.code for each in flood.failures})
        self.assertEqual(40, self.daemon.stats()["compiles_queued"])
        self.end(flood)


class SessionShareTest(FairnessTest):
    LIMITS = ("queued_compiles_max: 100 queued_compiles_per_session_max: 10 "
              "compile_timeout { seconds: 3600 }")

    def test_a_sessions_full_share_is_its_own_trouble(self):
        other = Client(Library(harness.BIN), self.daemon.folder)
        self.addCleanup(other.close)
        self.timed(other, "ok first")
        flood = Flood(self.daemon, 20, FOREVER_MS)
        wait_until(lambda: len(flood.failures) == 8, "the share is full")
        for failure in flood.failures:
            self.assertEqual(EXHAUSTED, failure.code)
            self.assertIn("this session", failure.message)
        queued = threading.Thread(target=self.timed, args=(other, "ok other"))
        queued.start()
        wait_until(lambda: self.daemon.stats()["compiles_queued"] == 11,
                   "another's is queued, too")
        # When those that run have ended it is the other session's turn.
        for child in filter(is_confined, self.daemon.compile_children()):
            kill_if_there(child)
        queued.join(harness.SLOW)
        self.assertFalse(queued.is_alive())
        self.assertEqual(2, self.daemon.stats()["compiles"])
        self.end(flood)


if __name__ == "__main__":
    harness.main()
