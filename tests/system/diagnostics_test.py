#!/usr/bin/python3
# What the daemon tells of itself: statistics, metrics, events, reproducers,
# and that none of it tells of a client.
import base64
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

import harness
from harness import (KERNELS, Daemon, SystemTest, free_port, is_open,
                     kill_if_there, program, wait_until)

ADD = KERNELS / "add_f32.ttir"

CAUSES = {"crashed", "out_of_memory", "stack_overflow", "timed_out",
          "denied_syscall", "killed", "protocol_error"}


def promtool(folder):
    """Prometheus' checker: the installed one, or that of Debian's package if
    that can be had."""
    found = shutil.which("promtool")
    if found:
        return found
    try:
        subprocess.run(["apt-get", "download", "-q", "prometheus"], cwd=folder,
                       capture_output=True, timeout=harness.SLOW)
        for package in Path(folder).glob("prometheus_*.deb"):
            subprocess.run(["dpkg", "-x", package, folder], check=True,
                           capture_output=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return shutil.which(str(Path(folder) / "usr/bin/promtool"))


class MetricsTest(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.daemon = Daemon(
            rest=f"diagnostics {{ metrics_port: {self.port} }}")
        self.addCleanup(self.daemon.close)
        wait_until(lambda: is_open(self.port), "the port is open")

    def metrics(self):
        url = f"http://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(url, timeout=harness.SLOW) as answer:
            return answer.read()

    def test_the_numbers_are_those_of_the_statistics(self):
        for _ in range(3):
            self.daemon.json("compile", ADD)
        text = self.metrics().decode()
        stats = self.daemon.stats()
        self.assertEqual(stats["compiles"], 1)
        lines = text.splitlines()
        self.assertIn("quern_kernels_compiled_total 1", lines)
        self.assertIn("quern_compile_seconds_count 1", lines)
        self.assertIn("quern_kernels 1", lines)
        for cause in CAUSES:
            self.assertIn(f'quern_children_dead_total{{cause="{cause}"}} 0',
                          lines)

    def test_promtool_has_nothing_to_say_of_them(self):
        self.daemon.json("compile", ADD)
        with tempfile.TemporaryDirectory() as folder:
            tool = promtool(folder)
            if tool is None:
                self.skipTest("promtool is neither installed nor to be had")
            done = subprocess.run([tool, "check", "metrics"],
                                  input=self.metrics(), capture_output=True,
                                  timeout=harness.SLOW)
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, b"", b""))

    def test_only_this_machine_is_served(self):
        listening = subprocess.run(
            ["grep", f":{self.port:04X} 00000000:0000 0A", "/proc/net/tcp"],
            capture_output=True, text=True).stdout
        self.assertIn(f"0100007F:{self.port:04X}", listening)

    def test_a_port_that_is_taken_is_an_error_that_says_so(self):
        other = self.daemon.write(
            "other.textproto",
            f'sockets {{ rpc_path: "{self.daemon.folder}/r2" '
            f'attach_path: "{self.daemon.folder}/a2" }}\n'
            f"diagnostics {{ metrics_port: {self.port} }}\n")
        done = subprocess.run([program("quernd"), str(other)], text=True,
                              capture_output=True, timeout=harness.SLOW)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"127.0.0.1:{self.port}", done.stderr)


class Watcher:
    """grpcurl, watching; collects events until its end."""

    def __init__(self, daemon, path):
        self.process = subprocess.Popen(
            ["grpcurl", "-plaintext", "-unix", daemon.rpc,
             "quern.v1.AdminService/WatchEvents"], env={"PATH": path},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.events = []
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        text, decoder = "", json.JSONDecoder()
        for line in self.process.stdout:
            text = (text + line).lstrip()
            try:
                event, end = decoder.raw_decode(text)
            except json.JSONDecodeError:
                continue
            self.events.append(event)
            text = text[end:]

    def of_kind(self, kind):
        return [e for e in self.events if e["kind"] == "EVENT_KIND_" + kind]

    def wait_for(self, kind):
        return wait_until(lambda: self.of_kind(kind), kind)[0]

    def close(self):
        self.process.kill()
        self.thread.join()
        self.process.communicate()


class WatchTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.watcher = Watcher(self.daemon,
                               harness.path_with_grpcurl(self.daemon.folder))
        self.addCleanup(self.watcher.close)

    def watch_has_begun(self):
        """Waits for that: it is some time after grpcurl has started."""
        bad = self.daemon.write("secret_name.ttir", "module { secret }")
        wait_until(lambda: self.daemon.error("compile", bad) and
                   self.watcher.events, "the first event")


class EventsTest(WatchTest):
    def test_compiles_failures_and_deaths_are_told_and_no_client_is(self):
        self.watch_has_begun()
        self.assertEqual(self.watcher.wait_for("COMPILE_FAILED")["code"], 3)
        self.daemon.json("compile", ADD)
        compiled = self.watcher.wait_for("KERNEL_COMPILED")
        self.assertEqual(len(base64.b64decode(compiled["key"])), 32)
        self.assertIn("duration", compiled)
        # One that has done its job and ends anyway is no death.
        wait_until(self.kill_children, "a child's death")
        self.assertEqual(self.watcher.wait_for("CHILD_DIED")["cause"],
                         "killed")
        os.kill(self.daemon.zygote(), 9)
        self.watcher.wait_for("ZYGOTE_RESTARTED")
        self.assertNotIn("secret", json.dumps(self.watcher.events))

    def kill_children(self):
        for pid in self.daemon.compile_children():
            kill_if_there(pid)
        time.sleep(0.05)
        return self.watcher.of_kind("CHILD_DIED")


class DrainTest(WatchTest):
    # Longer than anybody waits for the end here.
    REST = "drain_timeout { seconds: 3600 }"

    def test_a_watch_does_not_hold_up_the_end(self):
        self.watch_has_begun()
        self.assertEqual(self.daemon.stop(), 0)
        self.watcher.thread.join(harness.SLOW)
        self.assertFalse(self.watcher.thread.is_alive())


class ReproducersTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="quern-reproducers-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.daemon = Daemon(rest=f'''
            compiler {{ worker_path: "{program("quern-fake-worker")}" }}
            diagnostics {{ reproducers_path: "{self.folder}"
                           reproducers_max: 3 }}''')
        self.addCleanup(self.daemon.close)

    def saved_after(self, source):
        """Compiles what crashes; waits for its file, which comes aside."""
        error = self.daemon.error("compile",
                                  self.daemon.write("k.ttir", source))
        self.assertIn("INTERNAL", error)
        file = self.folder / f"{error.strip()[-64:]}.ttir"
        wait_until(file.exists, f"a file as {error} says")
        return file

    def test_a_source_that_crashes_the_compiler_is_a_file_afterwards(self):
        saved = self.saved_after("crash\n")
        self.assertEqual(list(self.folder.iterdir()), [saved])
        self.assertTrue(saved.read_text().endswith("\ncrash\n"))
        self.assertEqual(saved.stat().st_mode & 0o777, 0o600)

    def test_the_oldest_go(self):
        for i in range(5):
            self.saved_after("crash" + " " * i)
        self.assertEqual(len(list(self.folder.iterdir())), 3)

    def test_what_is_only_wrong_is_not_saved(self):
        self.daemon.error("compile", self.daemon.write("k.ttir", "invalid"))
        self.assertEqual(list(self.folder.iterdir()), [])


class TopTest(SystemTest):
    def test_it_shows_rates_and_latencies(self):
        for _ in range(2):
            self.daemon.quern("compile", ADD)
        shown = self.daemon.quern("top", "--count", 2).stdout
        self.assertEqual(shown.count("quernd "), 2)
        self.assertRegex(shown, r"(?m)^compile +1 ")
        samples = [json.loads(line) for line in self.daemon.quern(
            "top", "--count", 2, "--json").stdout.splitlines()]
        self.assertEqual(len(samples), 2)
        self.assertEqual(samples[1]["kernels"], 1)
        self.assertGreater(samples[1]["uptime_s"], samples[0]["uptime_s"])
        self.assertEqual(samples[1]["compiles_per_s"], 0)


if __name__ == "__main__":
    harness.main()
