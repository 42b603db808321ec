#!/usr/bin/env python3
"""Compares kernels whose arguments are all one buffer with the oracle.

    in_place.py --compiler PROGRAM --runner PROGRAM [--target TARGET]
        [--emulator COMMAND] FOLDER

FOLDER holds printed kernels, tests/kernels/VERSION. Exits with 1 if any of
them differs.
"""
import argparse
import pathlib
import sys
import tempfile

import numpy as np

import compare
from interpreter import Interpreter
from memory import Memory

# Name, function, and its scalars after the pointers. All read and write the
# same indices, some through a reduction over the row.
_KERNELS = (("add_f32", (1000,)), ("add_f32_block128", (127,)),
            ("add_i32", (900,)), ("softmax_f32", (100, 100, 100)))
_ELEMENTS = 1200


class InPlaceLaunch(compare.Launch):
    def __init__(self, text, name, scalars):
        kind = "i32" if name.endswith("i32") else "f32"
        random = np.random.default_rng(1)
        data = (random.integers(-9, 9, _ELEMENTS).astype(np.int32)
                if kind == "i32"
                else random.normal(0, 2, _ELEMENTS).astype(np.float32))
        data = data.view(np.uint8)
        self.grid, self.memory = (1, 1, 1), Memory()
        self.memory.add(1 << 32, data)
        oracle = Interpreter(text, self.memory)
        (function, (params, _)), = oracle.functions.items()
        pointers = sum(type_.startswith("!tt.ptr") for _, type_ in params)
        self.again = pointers - 1
        self.arguments = [(kind, data, data.copy())]
        self.arguments += [(None, value, None) for value in scalars]
        with np.errstate(all="ignore"):
            oracle.launch(function, [1 << 32] * pointers + list(scalars),
                          self.grid)

    def write_job(self, out, image, folder):
        self.arguments[0][2].tofile(folder / "argument0")
        out.write(f"image {image}\ngrid 1 1 1\n"
                  f"buffer {folder / 'argument0'}\n")
        out.write("again 0\n" * self.again)
        for _, value, _ in self.arguments[1:]:
            out.write(f"scalar {value:x}\n")
        out.write("run\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--runner", required=True)
    parser.add_argument("--target", default="host")
    parser.add_argument("--emulator", default="")
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        files = [options.folder / f"{kernel}.ttir" for kernel, _ in _KERNELS]
        errors = compare.compile_all(options, files, folder)
        for i, (kernel, scalars) in enumerate(_KERNELS):
            problem = errors[str(files[i])] or compare.run(
                options, InPlaceLaunch(files[i].read_text(), kernel, scalars),
                folder / f"{i}.image", folder)
            if problem:
                print(f"{kernel}: {problem}")
                wrong += 1
    print(f"{len(_KERNELS) - wrong} of {len(_KERNELS)} kernels are right")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
