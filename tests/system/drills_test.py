#!/usr/bin/python3
# What fails takes nothing else with it: killed children, zygotes, clients and
# daemons.
import os
import signal
import subprocess
import threading
import time

import harness
from harness import (KERNELS, SystemTest, begin, is_confined, kernel_text,
                     kill_if_there, program, wait_until)

ADD = KERNELS / "add_f32_block128.ttir"


class DrillsTest(SystemTest):
    # The end waits for calls longer than anybody waits for the end here.
    REST = ('compiler { crashes_max: 100 crashes_per_zygote_max: 3 }\n'
            'drain_timeout { seconds: 3600 }\n')

    def client(self, *words):
        return begin(self, program("test-client"), *words)

    def compile_variant(self, number):
        path = self.daemon.write(f"variant{number}.ttir",
                                 f"// {number}\n{kernel_text('add_f32')}")
        return self.daemon.json("compile", path)

    def test_a_killed_ready_child_is_replaced(self):
        self.compile_variant(0)
        for number in range(1, 4):
            for child in wait_until(self.daemon.compile_children, "children"):
                kill_if_there(child)
            self.assertFalse(self.compile_variant(number)["cached"])

    def test_children_killed_under_load_fail_at_most_their_own_call(self):
        results = []

        def work(first):
            for number in range(first, first + 20):
                path = self.daemon.write(
                    f"load{number}.ttir",
                    f"// {number}\n{kernel_text('matmul_f32')}")
                results.append(self.daemon.quern("compile", path, check=False))

        threads = [threading.Thread(target=work, args=(1000 * i,))
                   for i in range(2)]
        for thread in threads:
            thread.start()
        kills = 0
        while any(thread.is_alive() for thread in threads):
            # Where none became ready any more calls would be UNAVAILABLE.
            for child in filter(is_confined, self.daemon.compile_children()):
                kills += kill_if_there(child)
                break
            time.sleep(0.05)
        for thread in threads:
            thread.join()
        failed = [done for done in results if done.returncode != 0]
        for done in failed:
            self.assertIn("INTERNAL", done.stderr)
        self.assertLessEqual(len(failed), kills)
        self.assertFalse(self.compile_variant(99)["cached"])
        self.assertGreater(self.daemon.stats()["children_dead"]["killed"], 0)

    def test_a_killed_zygote_is_started_again(self):
        self.compile_variant(0)
        for number in range(1, 4):
            before = self.daemon.zygote()
            os.kill(before, signal.SIGKILL)
            self.assertFalse(self.compile_variant(number)["cached"])
            self.daemon.new_zygote(before)
        wait_until(lambda: self.daemon.stats()["zygote_restarts"] == 3,
                   "three restarts")

    def test_a_client_killed_inside_a_kernel_bothers_nobody(self):
        endless = self.daemon.write("endless.ttir", ENDLESS)
        client = self.client("call-into", self.daemon.folder, endless)
        self.assertEqual(client.stdout.readline(), "calling\n")
        wait_until(lambda: self.daemon.stats()["sessions"] >= 2, "a session")
        client.kill()
        # The session that asks is one itself.
        wait_until(lambda: self.daemon.stats()["sessions"] == 1,
                   "the session's end")
        self.assertFalse(self.compile_variant(0)["cached"])

    def launch_through(self, interrupt):
        client = self.client("launch-on", self.daemon.folder, ADD)
        self.assertEqual(client.stdout.readline(), "ready\n")
        interrupt()
        time.sleep(0.3)
        self.daemon.start()
        out, errors = client.communicate("end\n", timeout=harness.SLOW)
        self.assertEqual(client.returncode, 0, errors)
        self.assertRegex(out, r"^\d+ launches, right\nattached again\n$")

    def test_clients_launch_on_through_a_crash_of_the_daemon(self):
        self.launch_through(self.daemon.kill)

    def test_clients_launch_on_through_a_restart_of_the_daemon(self):
        self.launch_through(self.daemon.stop)

    def test_launches_do_not_wait_for_a_daemon_that_is_away(self):
        client = self.client("launch-gaps", self.daemon.folder, ADD)
        self.assertEqual(client.stdout.readline(), "ready\n")

        def phase(name, *steps):
            """Does the steps while it launches on."""
            for step in steps:
                step()
            client.stdin.write("\n")
            client.stdin.flush()
            launches, longest_ns, waits = map(
                int, client.stdout.readline().split())
            print(f"{name}: {launches} launches, the longest gap "
                  f"{longest_ns / 1e6:.2f} ms")
            self.assertGreater(launches, 1000, name)
            # Whatever gap there is comes of others that use the core.
            self.assertEqual(0, waits, name)

        def rest():
            time.sleep(1)

        phase("a daemon at rest", rest)
        phase("stop and start", self.daemon.stop, self.daemon.start, rest)
        phase("at rest again", rest)
        phase("crash and start", self.daemon.kill, self.daemon.start, rest)
        phase("no daemon", self.daemon.kill, rest)

    def test_a_forked_client_attaches_anew(self):
        done = subprocess.run([program("test-client"), "fork",
                               str(self.daemon.folder), str(ADD)],
                              capture_output=True, text=True,
                              timeout=harness.SLOW)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_client_that_is_idle_does_not_hold_up_the_end(self):
        client = self.client("launch-on", self.daemon.folder, ADD)
        self.assertEqual(client.stdout.readline(), "ready\n")
        started = time.monotonic()
        self.assertEqual(self.daemon.stop(), 0)
        taken = time.monotonic() - started
        print(f"an end with an idle client took {taken * 1e3:.0f} ms")

    def test_a_stopped_daemon_lets_running_calls_end(self):
        path = self.daemon.write("slow.ttir", kernel_text("matmul_f32"))
        client = begin(self, program("quern"), "compile", path, "--sockets",
                       self.daemon.folder)
        wait_until(lambda: self.daemon.stats()["misses"] > 0 or
                   client.poll() is not None, "the call")
        self.assertEqual(self.daemon.stop(), 0)
        _, errors = client.communicate(timeout=harness.SLOW)
        self.assertEqual(client.returncode, 0, errors)


# A kernel that goes round for as long as what it reads is zero.
ENDLESS = """
module {
  tt.func public @endless(%p: !tt.ptr<i64>) {
    %zero = arith.constant 0 : i32
    %one = arith.constant 1 : i32
    %many = arith.constant 2147483647 : i32
    %again = arith.constant 0 : i64
    scf.for %i = %zero to %many step %one : i32 {
      scf.for %j = %zero to %many step %one : i32 {
        %x = tt.load %p {isVolatile = true} : !tt.ptr<i64>
        %y = arith.addi %x, %again : i64
        tt.store %p, %y : !tt.ptr<i64>
      }
    }
    tt.return
  }
}
"""


if __name__ == "__main__":
    harness.main()
