#!/usr/bin/python3
# One client of the soak test: compiles sources that nobody has compiled,
# looks kernels up, launches them, and compares every value with NumPy, until
# its standard input ends. It says on its standard output what came of it:
#
#   done NAME COUNT       so many operations since the last line were right
#   failed NAME CODE TEXT one that failed
#   wrong NAME TEXT       a value that is not NumPy's, or a failure of what
#                         must not fail
#
# soak_client.py PROGRAMS FOLDER direct|served SEED SOURCE
import collections
import random
import select
import sys
import time
from pathlib import Path

import numpy as np

from libquern import Client, Failed, Library, Session

COUNT = 2000  # Elements; the kernels' block is 1,024.
PROGRAMS = 2
RECENT = 16  # Keys that a client comes back to.
# A client that found no daemon tries again after this, in seconds.
PAUSE = 0.02


def source_with(text, constant):
    """The vector add, with a number added that makes it another kernel."""
    add = "    %15 = arith.addf %9, %12 : tensor<1024xf32>\n"
    assert add in text
    more = (f"    %more = arith.constant dense<{constant}.0> : "
            "tensor<1024xf32>\n"
            "    %sum = arith.addf %9, %12 : tensor<1024xf32>\n"
            "    %15 = arith.addf %sum, %more : tensor<1024xf32>\n")
    return text.replace(add, more)


class Soak:
    def __init__(self, library, folder, seed, text):
        self.library, self.folder, self.text = library, folder, text
        self.dice = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.counts = collections.Counter()
        self.said = time.monotonic()
        self.known = collections.deque(maxlen=RECENT)  # (key, constant)
        self.client = None

    def say(self, *words):
        print(*words, flush=True)

    def flush(self):
        for name, count in self.counts.items():
            self.say("done", name, count)
        self.counts.clear()
        self.said = time.monotonic()

    def right(self, name):
        self.counts[name] += 1
        if time.monotonic() - self.said > 0.25:
            self.flush()

    def attempt(self, name, work, *words):
        """What work(*words) returns; None if it failed, which is told."""
        try:
            result = work(*words)
        except Failed as failure:
            self.say("failed", name, failure.code,
                     failure.message.replace("\n", " "))
            time.sleep(PAUSE)
            return None
        self.right(name)
        return result

    def connect(self):
        self.client = Client(self.library, self.folder)
        return self.client

    def vectors(self):
        x, y = (self.numbers.integers(-1000, 1000, COUNT).astype(np.float32)
                for _ in range(2))
        return x, y

    def compare(self, name, z, x, y, constant):
        if np.array_equal(z, x + y + np.float32(constant)):
            return
        at = int(np.argmax(z != x + y + np.float32(constant)))
        self.say("wrong", name, f"element {at} is {z[at]}: {x[at]} + {y[at]}"
                 f" + {constant}")

    def compile(self):
        constant = self.dice.randrange(1 << 22)
        kernel = self.attempt("compile", self.client.compile,
                              source_with(self.text, constant))
        if kernel is not None:
            self.known.append((self.client.key(kernel), constant))
        return kernel, constant

    def find(self):
        """A kernel of before; the daemon may have forgotten it."""
        if not self.known:
            return None, 0
        key, constant = self.dice.choice(self.known)
        return self.attempt("lookup", self.client.lookup, key), constant

    def go(self):
        while not select.select([sys.stdin], [], [], 0)[0]:
            self.turn()
        self.flush()


class Direct(Soak):
    def turn(self):
        if self.client is None and self.attempt("connect",
                                                self.connect) is None:
            return
        fresh = self.dice.random() < 0.1
        kernel, constant = self.compile() if fresh else self.find()
        if kernel is None:
            return
        for _ in range(self.dice.randrange(1, 20)):
            self.launch(kernel, constant)
        self.client.release(kernel)

    def launch(self, kernel, constant):
        x, y = self.vectors()
        z = np.full(COUNT, np.nan, np.float32)
        try:
            self.client.launch(kernel, PROGRAMS, [
                x.ctypes.data, y.ctypes.data, z.ctypes.data, COUNT])
        except Failed as failure:  # Whatever becomes of the daemon.
            self.say("wrong", "launch", failure)
            return
        self.compare("launch", z, x, y, constant)
        self.right("launch")


class Served(Soak):
    session = None

    def turn(self):
        if self.session is None:
            self.attempt("session", self.begin)
            return
        kernel, constant = self.compile()
        if kernel is None:
            return
        key = self.client.key(kernel)
        self.client.release(kernel)
        loaded = self.attempt("load", self.session.load, key)
        if loaded is None:
            self.end()
            return
        for _ in range(self.dice.randrange(1, 100)):
            if not self.launch(loaded, constant):
                self.end()
                return
        if self.attempt("unload", self.unload, loaded) is None:
            self.end()

    def unload(self, loaded):
        self.session.unload(loaded)
        return True

    def begin(self):
        if self.client is None:
            self.connect()
        session = Session(self.client)
        try:
            self.places = [session.buffer(4 * COUNT) for _ in range(3)]
            session.open_ring(64)
        except Failed:
            session.close()
            raise
        self.session = session
        self.arrays = [np.ctypeslib.as_array(
            (np.ctypeslib.ctypes.c_float * COUNT).from_address(address))
            for address, _ in self.places]
        return session

    def end(self):
        """After a failure: a new session, as after a death of the daemon."""
        self.arrays = None
        self.session.close()
        self.session = None

    def launch(self, kernel, constant):
        x, y = self.vectors()
        self.arrays[0][:], self.arrays[1][:] = x, y
        self.arrays[2][:] = np.nan
        words = [argument for _, argument in self.places] + [COUNT]
        tag = self.dice.randrange(1 << 60)
        try:
            taken = self.session.submit(tag, kernel, PROGRAMS, words)
            done = self.session.wait()
        except Failed as failure:
            self.say("failed", "served", failure.code, failure.message)
            return False
        if taken != 1 or len(done) != 1 or done[0][0] != tag:
            self.say("wrong", "served", f"{taken} taken, {done} for {tag}")
            return False
        if done[0][1] != 0:
            self.say("failed", "served", done[0][1], "as a completion")
            return False
        self.compare("served", self.arrays[2], x, y, constant)
        self.right("served")
        return True


def main():
    programs, folder, kind, seed, source = sys.argv[1:]
    roles = {"direct": Direct, "served": Served}
    roles[kind](Library(programs), folder, int(seed),
                Path(source).read_text()).go()


if __name__ == "__main__":
    main()
