#!/usr/bin/python3
# Mixed load while every second something is killed: compile children, the
# zygote, executors, clients, and the daemon. No value is wrong, every failure
# is one that the manuals name, and nothing grows.
#
# Runs for 45 s, or for what --seconds N says.
import argparse
import base64
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

import harness
from harness import (KERNELS, ROOT, SLOW, SystemTest, children_of, program,
                     status_of, wait_until)
from served import executors
from soak_client import source_with

ADD = KERNELS / "add_f32.ttir"
SECONDS = 45
COUNT = 2000

# The last daemon that is killed; the survivor warms up until the next, and
# must not have grown from there to the end. In parts of the time.
DAEMON_KILLS_END, WARM_END = 0.4, 0.6
DAEMON_KILL_EVERY = 6  # Kills.

# What may fail by what is killed, and with which codes: an end of the daemon
# is UNAVAILABLE (14), one of a compile child INTERNAL (13), one of an executor
# ABORTED (10); a daemon that has just begun knows no kernel (5).
DOCUMENTED = {
    "connect": {5, 4, 14}, "session": {5, 10, 14}, "compile": {13, 14},
    "lookup": {5, 14}, "load": {5, 14}, "unload": {14}, "served": {10, 14},
    "inline": {5, 10, 13, 14}, "run": {5, 10, 13, 14}}
NAMES = {"NOT_FOUND": 5, "DEADLINE_EXCEEDED": 4, "ABORTED": 10,
         "INTERNAL": 13, "UNAVAILABLE": 14, "RESOURCE_EXHAUSTED": 8,
         "NotFound": 5, "DeadlineExceeded": 4, "Aborted": 10, "Internal": 13,
         "Unavailable": 14, "ResourceExhausted": 8,
         "Failed to dial": 14}  # grpcurl's.


class Tally:
    """What clients said, of all of them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.done = collections.Counter()
        self.failed = collections.Counter()  # (operation, code)
        self.wrong = []

    def hear(self, line):
        kind, _, rest = line.strip().partition(" ")
        words = rest.split(" ", 2)
        with self.lock:
            if kind == "done":
                self.done[words[0]] += int(words[1])
            elif kind == "failed" and int(words[1]) in DOCUMENTED[words[0]]:
                self.failed[words[0], int(words[1])] += 1
            elif line.strip():
                self.wrong.append(line.strip())

    def fail(self, name, text):
        code = next((code for word, code in NAMES.items() if word in text), 2)
        self.hear(f"failed {name} {code} {text}")


class Client:
    """A soak_client.py that is started again whenever it is killed."""

    def __init__(self, test, kind, seed):
        self.test, self.kind, self.seed = test, kind, seed
        self.process = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.test.stopping:
            self.seed += 1000
            self.process = subprocess.Popen(
                ["/usr/bin/python3", "-B",
                 str(ROOT / "tests/system/soak_client.py"), str(harness.BIN),
                 str(self.test.daemon.folder), self.kind, str(self.seed),
                 str(ADD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True)
            for line in self.process.stdout:
                # The last line of one that was killed may be a part of one.
                if line.endswith("\n"):
                    self.test.tally.hear(line)
            code = self.process.wait()
            if code not in (0, -signal.SIGKILL):
                self.test.tally.hear(f"wrong client {code}")
            self.process.stdin.close()
            self.process.stdout.close()


def grown(before, after):
    """What has become more, by name: (before, after)."""
    # Threads of gRPC come and go, with a stack and a guard each.
    most = {"descriptors": before["descriptors"],
            "processes": before["processes"],
            "threads": before["threads"] + 4,
            "mappings": before["mappings"] + 16,
            "memfds": before["memfds"] + 1,
            "memfd_kib": before["memfd_kib"] + 1024,
            "own_kib": 1.1 * before["own_kib"] + 2048}
    return {name: (before[name], after[name]) for name, limit in most.items()
            if after[name] > limit}


class SoakTest(SystemTest):
    # Small, so that what is bounded is soon full.
    LIMITS = ("directory_entries_max: 64 stored_source_bytes_max: 65536 "
              "slab_size_bytes: 1048576")
    REST = ("compiler { crashes_max: 100 crashes_per_zygote_max: 100 }\n"
            "log_level: LOG_LEVEL_ERROR\n")
    DISK = "size_bytes_max: 4194304"

    def setUp(self):
        super().setUp()
        self.path = harness.path_with_grpcurl(self.daemon.folder)
        self.tally = Tally()
        self.dice = random.Random(20261124)
        self.kills = collections.Counter()
        self.stopping = False
        self.clients, self.threads = [], []
        self.addCleanup(self.end_load)

    # The load.

    def begin_load(self):
        self.stopping = False
        self.clients = [Client(self, kind, seed) for seed, kind in
                        enumerate(("direct", "direct", "served", "served"))]
        self.threads = [threading.Thread(target=self.repeat, args=(work,))
                        for work in (self.launch_inline, self.run_served)]
        for thread in self.threads:
            thread.start()

    def end_load(self):
        self.stopping = True
        for client in self.clients:
            while client.thread.is_alive():
                try:
                    client.process.stdin.close()
                except (AttributeError, BrokenPipeError):
                    pass
                client.thread.join(0.1)
        for thread in self.threads:
            thread.join()
        self.clients, self.threads = [], []

    def repeat(self, work):
        dice = random.Random(work.__name__)
        numbers = np.random.default_rng(7)
        while not self.stopping:
            x, y = (numbers.integers(-1000, 1000, COUNT).astype(np.float32)
                    for _ in range(2))
            work(dice.randrange(1 << 22), x, y)

    def fresh(self, name, constant):
        return self.daemon.write(name, source_with(ADD.read_text(), constant))

    def expect_sum(self, name, z, x, y, constant):
        if np.array_equal(z, x + y + np.float32(constant)):
            self.tally.hear(f"done {name} 1")
        else:
            self.tally.hear(f"wrong {name} {z[:4]} {x[:4]} {y[:4]} {constant}")

    def launch_inline(self, constant, x, y):
        compiled = self.daemon.quern(
            "compile", self.fresh("inline.ttir", constant), "--json",
            check=False)
        if compiled.returncode != 0:
            self.tally.fail("inline", compiled.stderr)
            return
        key = bytes.fromhex(json.loads(compiled.stdout)["key"])
        encoded = [base64.b64encode(each.tobytes()).decode()
                   for each in (x, y)]
        request = {"key": base64.b64encode(key).decode(), "grid": {"x": 2},
                   "arguments": [*({"tensor": {"data": each}}
                                   for each in encoded),
                                 {"tensor": {"size_bytes": 4 * COUNT,
                                             "returned": True}},
                                 {"integer": COUNT}]}
        done = subprocess.run(
            ["grpcurl", "-plaintext", "-unix", "-d", "@", self.daemon.rpc,
             "quern.v1.LaunchService/Launch"], env={"PATH": self.path},
            input=json.dumps(request), capture_output=True, text=True,
            timeout=SLOW)
        if done.returncode != 0:
            self.tally.fail("inline", done.stderr)
            return
        data = base64.b64decode(json.loads(done.stdout)["tensors"][0])
        self.expect_sum("inline", np.frombuffer(data, np.float32), x, y,
                        constant)

    def run_served(self, constant, x, y):
        folder = self.daemon.folder
        np.save(folder / "x.npy", x)
        np.save(folder / "y.npy", y)
        np.save(folder / "z.npy", np.full(COUNT, np.nan, np.float32))
        done = self.daemon.quern(
            "run", self.fresh("run.ttir", constant), "--grid", 2, "--served",
            "--arg", f"@{folder}/x.npy", "--arg", f"@{folder}/y.npy",
            "--arg", f"@{folder}/z.npy:out", "--arg", COUNT,
            check=False)
        if done.returncode != 0:
            self.tally.fail("run", done.stderr)
            return
        self.expect_sum("run", np.load(folder / "z.npy"), x, y, constant)

    # The kills.

    def zygotes(self):
        return [pid for pid in children_of(self.daemon.pid)
                if status_of(pid).get("Name") != "quern-executor"]

    def victims(self, kind):
        if kind == "zygote":
            return self.zygotes()
        if kind == "child":
            return [pid for zygote in self.zygotes()
                    for pid in children_of(zygote)]
        if kind == "executor":
            return executors(self.daemon)
        return [client.process.pid for client in self.clients
                if client.process and client.process.poll() is None]

    def kill_one(self, kind):
        if kind == "daemon":
            self.daemon.kill()
            self.daemon.start()
            self.kills[kind] += 1
            return
        victims = self.victims(kind)
        if not victims:
            return
        try:
            os.kill(self.dice.choice(victims), signal.SIGKILL)
            self.kills[kind] += 1
        except ProcessLookupError:
            pass  # It has ended by itself.

    def soak(self, until, daemon_dies=False):
        self.begin_load()
        tick = 0
        while time.monotonic() < until:
            time.sleep(1)
            tick += 1
            if daemon_dies and tick % DAEMON_KILL_EVERY == 0:
                self.kill_one("daemon")
            else:
                self.kill_one(self.dice.choice(
                    ("child", "child", "zygote", "executor", "client")))
            self.assertEqual([], self.tally.wrong)
        self.end_load()

    # What the daemon holds.

    def quiet(self):
        wait_until(lambda: not executors(self.daemon), "no executor")
        wait_until(lambda: self.daemon.stats()["sessions"] == 1,
                   "all sessions have ended")  # But the one that asks.
        wait_until(lambda: len(self.victims("child")) == 2, "ready children")
        time.sleep(1)

    def holdings(self):
        self.quiet()
        pid = self.daemon.pid
        memfds = {}
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if os.readlink(entry).startswith("/memfd:"):
                    found = os.stat(entry)
                    memfds[found.st_ino] = found.st_blocks * 512
            except FileNotFoundError:
                pass
        status = status_of(pid)
        zygote, = self.zygotes()
        return {
            "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
            "mappings": len(Path(f"/proc/{pid}/maps").read_text()
                            .splitlines()),
            "threads": int(status["Threads"]),
            "processes": len(children_of(pid)) + len(children_of(zygote)),
            "memfds": len(memfds),
            "memfd_kib": sum(memfds.values()) >> 10,
            "resident_kib": int(status["VmRSS"].split()[0]),
            "own_kib": int(status["RssAnon"].split()[0])}

    def test_nothing_is_wrong_and_nothing_grows(self):
        begin = time.monotonic()
        self.soak(begin + DAEMON_KILLS_END * SECONDS, daemon_dies=True)
        self.soak(begin + WARM_END * SECONDS)
        before = self.holdings()
        pid = self.daemon.pid
        self.soak(begin + SECONDS)
        after = self.settled(before)
        self.report(before, after)
        self.assertEqual([], self.tally.wrong)
        self.assertEqual(pid, self.daemon.pid)
        self.assertIsNone(self.daemon.process.poll())
        self.assertEqual({}, grown(before, after))
        self.expect_work()

    def settled(self, before):
        """The holdings when they are no more than before, or in the end: what
        clients leave is given back some time after them."""
        end = time.monotonic() + SLOW
        after = self.holdings()
        while grown(before, after) and time.monotonic() < end:
            after = self.holdings()
        return after

    def expect_work(self):
        for name in ("compile", "lookup", "launch", "served", "inline", "run"):
            self.assertGreater(self.tally.done[name], 0, name)
        lost = sum(count for (name, code), count in self.tally.failed.items()
                   if code == 13)
        # A killed child fails its own call, and who joined it; sources are
        # fresh, so nobody does.
        self.assertLessEqual(lost, self.kills["child"])

    def report(self, before, after):
        print(json.dumps({
            "seconds": SECONDS, "kills": self.kills, "done": self.tally.done,
            "failed": {f"{name} {code}": count for (name, code), count
                       in sorted(self.tally.failed.items())},
            "before": before, "after": after}, indent=1), flush=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--seconds", type=float, default=SECONDS)
    known, rest = options.parse_known_args()
    SECONDS = known.seconds
    sys.argv[1:] = rest
    harness.main()
