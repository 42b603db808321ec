# A client of served launches that the drills tell what to do
# (served_client.cc).
import subprocess

import harness
from harness import (KERNELS, SLOW, children_of, cpu_ticks, program, status_of,
                     wait_until)

# Codes and statuses of completions (quern.h, ring_layout.h).
OK, INVALID, TIME_OUT, NOT_FOUND, EXHAUSTED = 0, 3, 4, 5, 8
PRECONDITION, ABORTED, OUT_OF_RANGE, UNAVAILABLE = 9, 10, 11, 14
BAD_KERNEL, BAD_COUNT, BAD_GRID, BAD_BUFFER, BAD_OFFSET = 3, 4, 5, 6, 7
ENDED = 9
CRASHED, KILLED, TIMED_OUT, DAEMON_GONE = 3, 4, 6, 10

COUNT = 10_000  # Elements of the vectors that the drills add.


class Refused(Exception):
    def __init__(self, text):
        super().__init__(text)
        self.code = int(text.split()[1])


class ServedClient:
    """A process; its methods are the commands of served_client.cc."""

    def __init__(self, daemon, wrapper=()):
        self.process = subprocess.Popen(
            list(wrapper) + [program("served-client"), str(daemon.folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(SLOW)
        self.process.stdin.close()
        self.process.stdout.close()

    def begin(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def end(self):
        line = self.process.stdout.readline().strip()
        if not line.startswith("ok"):
            raise Refused(line or "error 0 the client has ended")
        return line[3:]

    def ask(self, *words):
        self.begin(*words)
        return self.end()

    def load(self, name="add_f32"):
        key = self.ask("compile", KERNELS / f"{name}.ttir")
        return int(self.ask("load", key))

    def wait(self, ring, count=64, milliseconds=60_000):
        """[(tag, code, status, detail)]"""
        return [tuple(map(int, each.split(":"))) for each in
                self.ask("wait", ring, count, milliseconds).split()]


class Adder(ServedClient):
    """Has three buffers, a kernel that adds, and a ring."""

    def __init__(self, daemon, slots=64, wrapper=()):
        super().__init__(daemon, wrapper)
        self.kernel = self.load()
        self.buffers = [int(self.ask("buffer", 4 * COUNT)) for _ in range(3)]
        self.slots = slots
        self.ring = None
        self.open()

    def open(self):
        self.ring = int(self.ask("ring", self.slots))

    def arguments(self):
        return [f"{each}+0" for each in self.buffers] + [COUNT]

    def submit(self, tag, grid=(10, 1, 1), arguments=None, kernel=None):
        words = arguments if arguments is not None else self.arguments()
        return int(self.ask("submit", self.ring,
                            self.kernel if kernel is None else kernel,
                            *grid, tag, *words))

    def submit_forever(self, tag):
        """A launch that runs for years: programs without number, each with
        nothing to add. Few along x, so that no offset overflows."""
        words = self.arguments()[:3] + [0]
        return self.submit(tag, (2**20, 2**20, 2**20), words)

    def run_forever(self, tag, pid):
        """Submits that, and waits until the executor, `pid`, is at it."""
        used = cpu_ticks(pid)
        self.submit_forever(tag)
        wait_until(lambda: cpu_ticks(pid) > used + 5, "the launch has begun")

    def check(self):
        """Adds, and looks at the sum."""
        for buffer, value in zip(self.buffers, (1.5, 2.25, 0)):
            self.ask("fill", buffer, COUNT, value)
        self.submit(77)
        assert self.wait(self.ring) == [(77, OK, 0, 0)]
        for index in (0, 1023, 1024, COUNT - 1):
            value = float(self.ask("peek", self.buffers[2], index))
            assert value == 3.75, (index, value)


def executors(daemon):
    """The pids of the daemon's executors."""
    return [pid for pid in children_of(daemon.pid)
            if status_of(pid).get("Name") == "quern-executor"]
