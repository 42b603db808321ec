#!/usr/bin/python3
# Nothing of one client is told to another: no path, process, name or source
# shows in errors, statistics, metrics, events or health. ListKernels and
# GetKernel are for operators, and show kernels because that is what they are
# for; they are not looked at here.
import base64
import json
import re
import shutil
import subprocess
import threading
import time
import urllib.request

import harness
from diagnostics_test import Watcher
from harness import (ROOT, SLOW, SystemTest, begin, free_port, is_confined,
                     kill_if_there, program, wait_until)
from libquern import Client, Failed, Library, Session
from secretive_client import add

MARK = "zqsecret"
EXHAUSTED, INTERNAL, NOT_FOUND = 8, 13, 5
HERE = ROOT / "tests" / "system"


class PrivacyTest(SystemTest):
    CLIENTS = 3
    COMPILER = ""

    @property
    def REST(self):
        return (f"compiler {{ {self.COMPILER} }}\n"
                f"diagnostics {{ metrics_port: {self.port} }}\n")

    def setUp(self):
        self.port = free_port()
        super().setUp()
        self.path = harness.path_with_grpcurl(self.daemon.folder)
        self.watcher = Watcher(self.daemon, self.path)
        self.addCleanup(self.watcher.close)
        # The watch begins some time after grpcurl has started.
        bad = self.daemon.write("bad.ttir", "bad")
        wait_until(lambda: self.daemon.error("compile", bad) and
                   self.watcher.events, "the first event")
        self.seen = {}  # What another client was told, by where.
        self.processes = []

    def secretive(self):
        """Starts a client with secrets, under a path that is one."""
        folder = self.daemon.folder / f"{MARK}_folder"
        folder.mkdir(exist_ok=True)
        script = folder / f"{MARK}_client.py"
        shutil.copy(HERE / "secretive_client.py", script)
        client = begin(self, "/usr/bin/python3", "-B", script, HERE,
                       harness.BIN, self.daemon.folder, MARK, cwd=folder)
        self.processes.append(client)
        return client

    def grpcurl(self, method, request="{}"):
        done = subprocess.run(
            ["grpcurl", "-plaintext", "-unix", "-d", request, self.daemon.rpc,
             method], env={"PATH": self.path}, capture_output=True, text=True,
            timeout=SLOW)
        return done.stdout + done.stderr

    def look_around(self):
        """What is told to everybody."""
        self.seen["statistics"] = self.grpcurl("quern.v1.AdminService/GetStats")
        self.seen["stats command"] = self.daemon.quern("stats").stdout
        self.seen["top command"] = self.daemon.quern("top", "--count", 1).stdout
        self.seen["health"] = self.grpcurl("grpc.health.v1.Health/Check")
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics",
                                    timeout=SLOW) as metrics:
            self.seen["metrics"] = metrics.read().decode()
        # A year may be the number of a process.
        self.seen["events"] = json.dumps(
            [{name: value for name, value in event.items() if name != "time"}
             for event in list(self.watcher.events)])
        for where in ("statistics", "health", "metrics"):
            self.assertGreater(len(self.seen[where]), 20, where)

    def failure(self, where, work, *words, code=None):
        with self.assertRaises(Failed) as caught:
            work(*words)
        if code is not None:
            self.assertEqual(code, caught.exception.code, caught.exception)
        self.seen[where] = str(caught.exception)

    def expect_no_secret(self):
        for where, text in self.seen.items():
            self.assertNotIn(MARK, text.lower(), where)
        told = [process.pid for process in self.processes if all(
            re.search(rf"\b{process.pid}\b", text)
            for text in (self.seen["statistics"], self.seen["metrics"]))]
        # One number may happen to be that of a process.
        self.assertLess(len(told), max(2, len(self.processes)))
        for where in ("events", "health"):
            for process in self.processes:
                if process.pid > 999:  # A small one may be a time's part.
                    self.assertNotRegex(self.seen[where],
                                        rf"\b{process.pid}\b")


class RealCompilerTest(PrivacyTest):
    LIMITS = "sessions_max: 6"

    def test_what_one_does_another_is_not_told(self):
        clients = [self.secretive() for _ in range(self.CLIENTS)]
        said = [client.stdout.readline() for client in clients]
        for client, line in zip(clients, said):
            if not line.startswith("ready "):
                self.fail(line + client.communicate(timeout=SLOW)[1])
        keys = {line.split()[1] for line in said}
        self.assertEqual(1, len(keys))
        key = keys.pop()
        wait_until(lambda: {"EVENT_KIND_COMPILE_FAILED",
                            "EVENT_KIND_EXECUTOR_DIED"} <=
                   {each["kind"] for each in self.watcher.events}, "events")
        self.fail_in_every_way(bytes.fromhex(key))
        self.look_around()
        self.expect_no_secret()

    def fail_in_every_way(self, key):
        other = Client(Library(harness.BIN), self.daemon.folder)
        self.addCleanup(other.close)
        self.failure("wrong source", other.compile, "module { other }", code=3)
        self.failure("unknown key", other.lookup, bytes(32), code=NOT_FOUND)
        session = Session(other)
        self.failure("load", session.load, bytes(32), code=NOT_FOUND)
        loaded = session.load(key)  # Whoever knows the key has the source.
        session.open_ring(16)
        # The first buffer of any session; this one has none.
        session.submit(1, loaded, 1, [1 << 40 | 1, 0])
        self.seen["foreign buffer"] = str(session.wait())
        session.close()
        for name, arguments in (("too few", []), ("wild", [
                {"tensor": {"size_bytes": 4}}, {"integer": str(1 << 45)}])):
            text = self.grpcurl("quern.v1.LaunchService/Launch", json.dumps({
                "key": base64.b64encode(key).decode(),
                "arguments": arguments}))
            self.assertIn("Code:", text)
            self.seen["inline " + name] = text
        self.fill_sessions()

    def fill_sessions(self):
        """Until the daemon attaches no more."""
        held = []
        for _ in range(8):
            try:
                client = Client(Library(harness.BIN), self.daemon.folder,
                                fail_fast=True)
            except Failed as refused:
                self.seen["refused attach"] = str(refused)
                break
            held.append(client)
        self.assertIn("refused attach", self.seen)
        for client in held:
            client.close()
        wait_until(lambda: "RESOURCE" not in self.daemon.quern(
            "stats", check=False).stderr, "room for a session")


class FakeCompilerTest(PrivacyTest):
    LIMITS = ("queued_compiles_max: 3 queued_compiles_per_session_max: 3 "
              "compile_timeout { seconds: 3600 }")

    @property
    def COMPILER(self):
        return f'worker_path: "{program("quern-fake-worker")}" crashes_max: 2'

    def test_a_full_queue_and_refused_sources_tell_nothing(self):
        one, other = (Client(Library(harness.BIN), self.daemon.folder)
                      for _ in range(2))
        source = f"crash {MARK}_source"
        for _ in range(2):
            with self.assertRaises(Failed) as caught:
                one.compile(source)
            self.assertEqual(INTERNAL, caught.exception.code)
        # Whoever sends the same is refused because of another's crashes, and
        # told what that one was told, of a source that it has itself.
        self.failure("refused key", other.compile, source, code=INTERNAL)
        self.assertIn("refused after 2", self.seen["refused key"])
        threads = [threading.Thread(target=self.compile_slowly, args=(one, i))
                   for i in range(5)]
        for thread in threads:
            thread.start()
        wait_until(lambda: self.daemon.stats()["compiles_queued"] == 3,
                   "the queue is full")
        self.failure("full queue", other.compile, "ok other", code=EXHAUSTED)
        self.look_around()
        while any(thread.is_alive() for thread in threads):
            # Where none became ready any more calls would be UNAVAILABLE.
            for child in filter(is_confined, self.daemon.compile_children()):
                kill_if_there(child)
            time.sleep(0.1)
        self.failure("a crash of its own", other.compile, "crash other",
                     code=INTERNAL)
        self.expect_no_secret()

    def compile_slowly(self, client, number):
        """Until its process is killed."""
        self.failure(f"killed {number}", client.compile,
                     f"sleep_ms 3600000 {MARK}_{number}", code=INTERNAL)

    def test_who_joins_anothers_compile_is_told_no_more(self):
        one, other = (Client(Library(harness.BIN), self.daemon.folder)
                      for _ in range(2))
        # As many at once as there may be: the same flight, or the next.
        threads = [threading.Thread(target=self.expect_crash, args=(client, i))
                   for i, client in enumerate((one, other))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.look_around()
        self.assertTrue({"joined 0", "joined 1"} <= set(self.seen))
        self.expect_no_secret()

    def expect_crash(self, client, number):
        self.failure(f"joined {number}", client.compile,
                     f"crash {MARK}_joined", code=INTERNAL)


if __name__ == "__main__":
    harness.main()
