#!/usr/bin/python3
# The daemon as a service: sockets that a manager opened, what the daemon tells
# it, and what clients see of restarts.
import ctypes
import os
import signal
import socket
import subprocess
import time
import unittest
from pathlib import Path

import harness
from activation import ActivatedDaemon, listening, threads_of
from harness import KERNELS, begin, kernel_text, program, wait_until

ADD = KERNELS / "add_f32_block128.ttir"
LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WAIT_ALL = 0x40000000  # __WALL: threads, too.


class StoppedThread:
    """A thread of another process that does not run inside a `with`."""

    def __init__(self, thread):
        self.thread = thread

    def trace(self, request):
        if LIBC.ptrace(request, self.thread, None, None) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    def __enter__(self):
        self.trace(PTRACE_SEIZE)
        self.trace(PTRACE_INTERRUPT)
        os.waitpid(self.thread, WAIT_ALL)

    def __exit__(self, *_):
        self.trace(PTRACE_DETACH)


class ServiceTest(unittest.TestCase):
    def activated(self, **arguments):
        daemon = ActivatedDaemon(**arguments)
        self.addCleanup(daemon.close)
        return daemon

    def test_it_tells_of_its_life_in_order(self):
        daemon = self.activated(rest="drain_timeout { seconds: 7 }",
                                watchdog_us=400000)
        self.assertEqual(daemon.wait_for("READY=1"),
                         ["STATUS=starting", "READY=1"])
        heard = daemon.wait_for("WATCHDOG=1")
        self.assertRegex(heard[0], r"^STATUS=0 kernels in 0 MiB, 0 sessions, "
                                   r"0 compiles running, 0 queued")
        daemon.json("compile", ADD)
        wait_until(lambda: "1 kernels in" in (daemon.notice() or ""),
                   "a status with the kernel")
        daemon.process.send_signal(signal.SIGTERM)
        daemon.wait_for("STOPPING=1\nEXTEND_TIMEOUT_USEC=17000000")
        self.assertEqual(daemon.process.wait(harness.SLOW), 0)
        self.assertIsNone(daemon.notice(0.05))
        # The sockets are the manager's, and so are their paths.
        self.assertTrue(Path(daemon.rpc).exists())
        self.assertTrue(Path(daemon.attach).exists())
        self.assertFalse(Path(daemon.rpc + ".lock").exists())

    def test_a_stopped_daemon_gives_no_sign_of_life(self):
        daemon = self.activated(watchdog_us=400000)
        daemon.wait_for("WATCHDOG=1")
        daemon.wait_for("WATCHDOG=1")
        daemon.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: harness.status_of(daemon.pid)["State"][0] == "T",
                   "the stop")
        daemon.forget_notices()
        self.assertIsNone(daemon.notice(0.8))
        daemon.process.send_signal(signal.SIGCONT)
        daemon.wait_for("WATCHDOG=1")

    def test_a_stuck_loop_ends_the_signs_of_life(self):
        daemon = self.activated(watchdog_us=200000)
        daemon.json("compile", ADD)  # All threads have started.
        stuck = 0
        for thread in threads_of(daemon.pid):
            daemon.forget_notices()
            daemon.wait_for("WATCHDOG=1")
            try:
                stopped = StoppedThread(thread)
                with stopped:
                    silent = self.falls_silent(daemon)
            except OSError:
                continue  # It has ended meanwhile.
            stuck += silent
            # And the daemon goes on as if nothing had been.
            daemon.wait_for("WATCHDOG=1")
        # The loops that attach clients, run compiles, and accept calls.
        self.assertEqual(stuck, 3)

    def falls_silent(self, daemon):
        """Whether the signs of life end, of which there are ten a second: some
        may be under way, and what was done just before counts for one."""
        signs = 0
        while signs < 5:
            said = daemon.notice(5)
            if said is None:
                return True
            signs += said == "WATCHDOG=1"
        return False

    def test_nobody_listening_is_no_concern(self):
        daemon = self.activated(watchdog_us=200000)
        daemon.wait_for("WATCHDOG=1")
        daemon.notices.close()
        time.sleep(0.3)
        self.assertFalse(daemon.json("compile", ADD)["cached"])
        self.assertEqual(daemon.stop(), 0)

    def test_neither_sockets_nor_variables_reach_the_compiler(self):
        daemon = self.activated()
        daemon.wait_for("READY=1")
        daemon.json("compile", ADD)  # The compiler runs.
        environment = Path(f"/proc/{daemon.zygote()}/environ").read_bytes()
        self.assertEqual(environment, b"")
        inodes = [os.fstat(each.fileno()).st_ino for each in daemon.sockets]
        self.assertEqual(daemon.holds(daemon.pid, inodes), 2)
        self.assertEqual(daemon.holds(daemon.zygote(), inodes), 0)

    def test_clients_launch_on_while_the_daemon_restarts(self):
        daemon = self.activated()
        client = begin(self, program("test-client"), "launch-on",
                       daemon.folder, ADD)
        self.assertEqual(client.stdout.readline(), "ready\n")
        for number in range(6):
            if number % 2:
                self.assertEqual(daemon.stop(), 0)
            else:
                daemon.kill()
            # Nothing is refused while there is no daemon: it waits.
            path = daemon.write(f"restart{number}.ttir",
                                f"// {number}\n{kernel_text('add_f32')}")
            waiting = begin(self, program("quern"), "compile", path,
                            "--sockets", daemon.folder)
            time.sleep(0.1)
            self.assertIsNone(waiting.poll())
            daemon.forget_notices()  # A full queue would hold the daemon up.
            daemon.start()
            _, errors = waiting.communicate(timeout=harness.SLOW)
            self.assertEqual(waiting.returncode, 0, errors)
        out, errors = client.communicate("end\n", timeout=harness.SLOW)
        self.assertEqual(client.returncode, 0, errors)
        self.assertRegex(out, r"^\d+ launches, right\nattached again\n$")

    def test_stop_leaves_the_manager_alone(self):
        daemon = self.activated()
        daemon.wait_for("READY=1")
        self.assertRegex(daemon.error("stop"),
                         "FAILED_PRECONDITION: the sockets belong to `python3`")

    def test_without_names_the_types_decide(self):
        daemon = self.activated(
            names=None, sockets=lambda d: d.right_sockets()[::-1])
        daemon.wait_for("READY=1")
        self.assertFalse(daemon.json("compile", ADD)["cached"])


class BadSocketsTest(unittest.TestCase):
    def refused(self, message, sockets, names="quern:quern"):
        daemon = ActivatedDaemon(sockets=sockets, names=names)
        self.addCleanup(daemon.close)
        code, log = daemon.ending()
        self.assertEqual(code, 1, log)
        self.assertRegex(log, message)

    def test_a_missing_socket_is_named(self):
        self.refused("handed over no sequenced-packet socket",
                     lambda d: [listening(socket.SOCK_STREAM, d.rpc)],
                     names="quern")
        self.refused("handed over no stream socket",
                     lambda d: [listening(socket.SOCK_SEQPACKET, d.attach)],
                     names="quern")

    def test_one_too_many_is_named(self):
        self.refused("the descriptor 5, `quern`, .* is a second stream socket",
                     lambda d: d.right_sockets() +
                     [listening(socket.SOCK_STREAM, d.folder / "more")],
                     names="quern:quern:quern")

    def test_another_name_is_refused(self):
        self.refused("the descriptor 4, `other`, .* is not named `quern`",
                     ActivatedDaemon.right_sockets, names="quern:other")

    def test_another_path_is_refused(self):
        self.refused("the descriptor 3, .* does not listen at .*rpc.sock",
                     lambda d: [listening(socket.SOCK_STREAM, d.folder / "x"),
                                listening(socket.SOCK_SEQPACKET, d.attach)])

    def test_a_socket_that_does_not_listen_is_refused(self):
        self.refused("the descriptor 3, .* is no Unix socket that listens",
                     lambda d: [listening(socket.SOCK_STREAM, d.rpc, False),
                                listening(socket.SOCK_SEQPACKET, d.attach)])

    def test_another_type_of_socket_is_refused(self):
        self.refused("the descriptor 4, .* is no Unix socket that listens",
                     lambda d: [listening(socket.SOCK_STREAM, d.rpc),
                                listening(socket.SOCK_DGRAM, d.attach, False)])

    def test_a_socket_of_the_network_is_refused(self):
        def with_network(daemon):
            network = socket.create_server(("127.0.0.1", 0))
            return [network, listening(socket.SOCK_SEQPACKET, daemon.attach)]
        self.refused("the descriptor 3, .* is no Unix socket that listens",
                     with_network)

    def test_what_is_no_socket_is_refused(self):
        self.refused("the descriptor 4, .* is no Unix socket that listens",
                     lambda d: [listening(socket.SOCK_STREAM, d.rpc),
                                open(d.config, "rb")])

    def test_a_senseless_count_is_refused(self):
        daemon = ActivatedDaemon()
        self.addCleanup(daemon.close)
        daemon.wait_for("READY=1")
        for count in ["-1", "1000000", "x"]:
            done = subprocess.run(
                ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh",
                 program("quernd"), str(daemon.config)],
                env={"LISTEN_FDS": count}, capture_output=True, text=True,
                timeout=harness.SLOW)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("handed sockets over wrongly", done.stderr)


if __name__ == "__main__":
    harness.main()
