#!/usr/bin/env python3
"""Compares random kernels with the oracle.

    random_kernels.py --compiler PROGRAM --runner PROGRAM [--target TARGET]
        [--emulator COMMAND] [--first SEED] [--count N]

Prints the seed of each kernel that differs, does not compile, or dies;
`generate.py` makes the same kernel from the same seed. Exits with 1 if there
was any.
"""
import argparse
import pathlib
import sys
import tempfile

import numpy as np

import compare
from generate import Generator
from interpreter import Interpreter
from memory import Memory

_ELEMENTS = 5600


class RandomLaunch(compare.Launch):
    """Three buffers, a length, a number of rounds and a stride of 64."""

    def __init__(self, text, seed):
        rng = np.random.default_rng(seed)
        self.memory, self.arguments, self.grid = Memory(), [], (1, 1, 1)
        values = []
        for i in range(3):
            data = rng.integers(-50, 50, _ELEMENTS, np.int32).view(np.uint8)
            self.arguments.append(("i32", data, data.copy()))
            values.append(i + 1 << 32)
            self.memory.add(values[-1], data)
        for scalar in (int(rng.integers(-3, 70)), int(rng.integers(0, 4)), 64):
            self.arguments.append((None, scalar, None))
            values.append(scalar)
        with np.errstate(all="ignore"):
            Interpreter(text, self.memory).launch("k", values, self.grid)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--runner", required=True)
    parser.add_argument("--target", default="host")
    parser.add_argument("--emulator", default="")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        seeds = range(options.first, options.first + options.count)
        files = [folder / f"{seed}.ttir" for seed in seeds]
        for seed, file in zip(seeds, files):
            file.write_text(Generator(seed).kernel())
        errors = compare.compile_all(options, files, folder)
        for i, (seed, file) in enumerate(zip(seeds, files)):
            problem = errors[str(file)]
            for launch in range(2):
                problem = problem or compare.run(
                    options, RandomLaunch(file.read_text(), seed + launch),
                    folder / f"{i}.image", folder)
            if problem:
                print(f"seed {seed}: {problem}")
                wrong += 1
    print(f"{options.count - wrong} of {options.count} kernels are right on "
          f"{options.target}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
