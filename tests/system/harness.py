# What system tests share: a real daemon in a folder of its own, the command
# line against it, and looks at its processes. Every test gets a fresh daemon.
import json
import lzma
import os
import random
import re
import signal
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
KERNELS = ROOT / "tests" / "kernels" / "3.6.0"
BIN = None  # The folder of the programs; set by main().

# Runs a program after prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN).
MDWE = ["/usr/bin/python3", "-c",
        "import ctypes, os, sys\n"
        "if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0): sys.exit(77)\n"
        "os.execv(sys.argv[1], sys.argv[1:])"]

SLOW = 60.0  # Seconds that anything may take on a busy machine.


def program(name):
    return str(BIN / name)


def has_mdwe():
    return subprocess.run([*MDWE, "/bin/true"]).returncode != 77


def skip_without_strace():
    """Skips a test on a machine that lets nobody look at system calls."""
    if subprocess.run(["sh", "-c", "strace -o /dev/null true"],
                      capture_output=True).returncode != 0:
        raise unittest.SkipTest("strace is not installed, or may not trace")


def path_with_grpcurl(folder):
    """A PATH with grpcurl: the installed one, or that of the shared tools
    beside the repository, unpacked into `folder`. Without either the test is
    skipped."""
    if shutil.which("grpcurl"):
        return os.environ["PATH"]
    shared = ROOT.parent / "shared" / "tools" / "bin" / "grpcurl.xz"
    if not shared.exists():
        raise unittest.SkipTest(
            "grpcurl is neither installed nor beside the repository")
    unpacked = folder / "grpcurl"
    unpacked.write_bytes(lzma.decompress(shared.read_bytes()))
    unpacked.chmod(0o700)
    return f"{folder}:{os.environ['PATH']}"


def wait_until(condition, what, seconds=SLOW):
    """Returns condition()'s first true value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.005)


def status_of(pid):
    """The fields of /proc/PID/status, or nothing if there is no such process."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def children_of(pid):
    """The children of all threads of a process."""
    found = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in listed.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass  # The thread has ended meanwhile.
    return found


def alive(pid):
    state = status_of(pid).get("State", "")
    return bool(state) and not state.startswith(("Z", "X"))


def cpu_ticks(pid):
    """What a process has computed, outside of the kernel."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[11])


def is_confined(pid):
    return status_of(pid).get("Seccomp") == "2"


def kill_if_there(pid):
    """Whether it was there; a process may end by itself at any time."""
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def begin(test, *words, **options):
    """A process with pipes for text; it ends with the test at the latest."""
    process = subprocess.Popen(
        [str(word) for word in words], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)

    def end():
        process.kill()
        process.wait(SLOW)
        for stream in (process.stdin, process.stdout, process.stderr):
            try:
                if stream:
                    stream.close()
            except BrokenPipeError:
                pass

    test.addCleanup(end)
    return process


def free_port():
    """A port of this machine that nobody listens at. It is none of those that
    the kernel chooses from for others, so that it stays free."""
    ranges = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    first_chosen = int(ranges.split()[0])
    candidates = range(10_000, first_chosen) or range(1024, 65536)
    while True:
        port = random.choice(candidates)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Daemon:
    """A quernd in a folder of its own. `limits`, `rest` and `disk` are
    textproto. Its disk is in its folder too, unless there is a `disk_path`."""

    def __init__(self, limits="", rest="", wrapper=(), disk="",
                 disk_path=None):
        self.folder = Path(tempfile.mkdtemp(prefix="quern-system-"))
        self.rpc = str(self.folder / "rpc.sock")
        self.attach = str(self.folder / "attach.sock")
        self.disk = Path(disk_path or self.folder / "kernels-on-disk")
        self.config = self.folder / "daemon.textproto"
        self.config.write_text(
            f'sockets {{ rpc_path: "{self.rpc}" '
            f'attach_path: "{self.attach}" }}\n'
            f'disk {{ path: "{self.disk}" {disk} }}\n'
            f"limits {{ {limits} }}\n{rest}\n")
        self.wrapper = list(wrapper)
        self.log = self.folder / "quernd.log"
        self.process = None
        try:
            self.start()
        except BaseException:
            self.close()  # Nobody else will.
            raise

    def start(self):
        self.started = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.wrapper + [program("quernd"), str(self.config)],
                stderr=log, stdout=log, stdin=subprocess.DEVNULL)
        wait_until(self.accepts, "quernd accepts")

    def accepts(self):
        if self.process.poll() is not None:
            raise AssertionError("quernd ended: " + self.log.read_text())
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            try:
                client.connect(self.rpc)
                return True
            except OSError:
                return False

    @property
    def pid(self):
        return self.process.pid

    def zygote(self):
        """The pid of the compile zygote."""
        return wait_until(lambda: (children_of(self.pid) or [None])[0],
                          "a zygote")

    def compile_children(self):
        return children_of(self.zygote())

    def new_zygote(self, before):
        """The pid of the zygote that comes after the one `before`, which the
        daemon may not have missed yet."""
        return wait_until(lambda: [pid for pid in children_of(self.pid)
                                   if pid != before and alive(pid)],
                          "a new zygote")[0]

    def ready_children(self, jobs):
        """The two compile children that wait for a job, once `jobs` others
        have had theirs and are gone."""
        wait_until(lambda: self.stats()["children_forked"] == jobs + 2,
                   "the forks")

        def ready():
            found = [pid for pid in self.compile_children() if alive(pid)]
            return len(found) == 2 and all(map(is_confined, found)) and found
        return wait_until(ready, "two ready children")

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        return self.process.wait(SLOW)

    def stop(self):
        if self.process.poll() is None:
            self.kill(signal.SIGTERM)
        return self.process.returncode

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    # The command line against this daemon.

    def quern(self, *words, check=True, wrapper=(), timeout=4 * SLOW):
        words = [str(word) for word in words]
        done = subprocess.run(
            list(wrapper) + [program("quern"), *words, "--sockets",
                             str(self.folder)],
            capture_output=True, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(
                f"quern {' '.join(words)}: {done.stderr}\n"
                f"daemon: {self.log.read_text()[-2000:]}")
        return done

    def json(self, *words):
        return json.loads(self.quern(*words, "--json").stdout)

    def error(self, *words):
        """What quern prints on standard error when it fails, as it must."""
        done = self.quern(*words, check=False)
        if done.returncode != 1:
            raise AssertionError(f"quern {words} returned {done.returncode}: "
                                 f"{done.stdout} {done.stderr}")
        return done.stderr

    def stats(self):
        return self.json("stats")

    def write(self, name, text):
        path = self.folder / name
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text)
        return path


class SystemTest(unittest.TestCase):
    """A test with a daemon; LIMITS, REST and DISK go into its
    configuration."""
    LIMITS = ""
    REST = ""
    DISK = ""

    def setUp(self):
        self.daemon = Daemon(self.LIMITS, self.REST, disk=self.DISK)
        self.addCleanup(self.daemon.close)


def re_search(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise AssertionError(f"no {pattern!r} in {text!r}")
    return found


def kernel_text(name):
    return (KERNELS / f"{name}.ttir").read_text()


def variants(name, count):
    """`count` sources of one kernel that differ by a comment."""
    text = kernel_text(name)
    return [f"// variant {i}\n{text}" for i in range(count)]


def main():
    import argparse
    import sys
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, required=True)
    arguments, rest = parser.parse_known_args()
    global BIN
    # The tests import this file as a module of its own.
    import harness
    harness.BIN = BIN = arguments.bin.resolve()
    os.environ.clear()
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    unittest.main(module="__main__", argv=[sys.argv[0], *rest])
