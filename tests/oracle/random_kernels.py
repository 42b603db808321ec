#!/usr/bin/env python3
"""Compares random kernels with the oracle.

    random_kernels.py --compiler PROGRAM --runner PROGRAM [--target TARGET]
        [--emulator COMMAND] [--first SEED] [--count N]

Prints the seed of each kernel that differs, does not compile, or dies;
`generate.py` makes the same kernel from the same seed. Exits with 1 if there
was any.
"""
import functools
import sys

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


def case(seed):
    text = Generator(seed).kernel()
    return (f"seed {seed}", text,
            [functools.partial(RandomLaunch, text, seed + launch)
             for launch in range(2)])


def main():
    parser = compare.arguments()
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=200)
    options = parser.parse_args()
    return compare.run_cases(
        options, [case(seed) for seed in range(
            options.first, options.first + options.count)])


if __name__ == "__main__":
    sys.exit(main())
