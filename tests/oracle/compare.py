#!/usr/bin/env python3
"""Runs compiled kernels beside the oracle, on random arguments.

    compare.py --compiler PROGRAM --runner PROGRAM [--target TARGET]
        [--emulator COMMAND] [--versions V,V...] [--only TEXT] FOLDER

FOLDER holds printed kernels as VERSION/NAME.ttir; the test passes, saying so,
when it is not there. Kernels that are not lowered, or that the oracle does not
know, are counted and passed over. A launch that leaves the buffers it was
given, by the oracle's account, says nothing of the kernel and is not run.
Exits with 1 if any kernel gives other values than the oracle.
"""
import argparse
import collections
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

import formats
from arithmetic import from_bits
from interpreter import AssertFailed, Interpreter
from memory import Memory, OutOfBounds
from memory_operations import element_bytes, pointee
from triton_ir import Unsupported

_ELEMENTS = 1 << 13
_LAUNCHES = 2
_ATTEMPTS = 8
_STEPS_MAX = 60_000

# Relative and absolute: sums are made in another order.
_TOLERANCE = {"f64": (1e-9, 1e-9), "f32": (3e-4, 1e-4), "f16": (1e-2, 3e-2),
              "bf16": (5e-2, 1.5e-1)}

# What their text leaves open: negative floats as unsigned integers, and which
# of equal integers is the largest.
_UNDEFINED = re.compile(r"cast__(bf16|f16|f32|f64)_u(8|16|32|64)_|argreduce__i")


def random_elements(elem, rng, top):
    """Bytes of random elements; integers are small, for they may be indices."""
    if elem.startswith("!tt.ptr"):
        raise Unsupported("pointers to pointers")
    if elem == "i1":
        return rng.integers(0, 2, _ELEMENTS).astype(np.uint8)
    if elem.startswith("i"):
        kind = f"i{int(elem[1:]) // 8}"
        return rng.integers(0, top, _ELEMENTS).astype(kind).view(np.uint8)
    values = rng.standard_normal(_ELEMENTS)
    if elem in ("f32", "f64"):
        return values.astype(f"f{int(elem[1:]) // 8}").view(np.uint8)
    return formats.encode(values.astype(np.float32), elem).view(np.uint8)


def random_scalar(kind, rng, base):
    """(value for the oracle, bits for the runner)."""
    if kind == "i1":
        value = int(rng.integers(0, 2))
        return value, value
    if kind.startswith("i"):
        value = int(rng.choice([base, base, base, rng.integers(1, 100)]))
        return value, value
    value = float(np.float32(rng.uniform(0.1, 0.9)))
    if kind in formats.NARROW:
        value = float(formats.round_to(np.float32(value), kind))
        return value, int(formats.encode(np.float32(value), kind))
    dtype = np.float64 if kind == "f64" else np.float32
    return value, int.from_bytes(dtype(value).tobytes(), "little")


class Launch:
    """Random arguments of one kernel, and what the oracle makes of them."""

    tolerance = _TOLERANCE

    def __init__(self, text, seed):
        rng = np.random.default_rng(seed)
        name = re.search(r"tt\.func public @([\w.$]+)", text).group(1)
        self.memory = Memory()
        oracle = Interpreter(text, self.memory)
        oracle.steps_max = _STEPS_MAX
        self.arguments = []
        values = []
        base = int(rng.choice([1, 3, 16, 20, 33, 64, 100]))
        top = (50, 8, 300, 2)[seed % 4]
        for i, (_, kind) in enumerate(oracle.functions[name][0]):
            if kind.startswith("!tt.ptr"):
                elem = pointee(kind)
                data = np.ascontiguousarray(random_elements(elem, rng, top))
                self.arguments.append((elem, data, data.copy()))
                values.append(i + 1 << 32)
                self.memory.add(values[-1], data)
            else:
                value, bits = random_scalar(kind, rng, base)
                self.arguments.append((None, bits, None))
                values.append(value)
        self.grid = ((1, 1, 1), (3, 1, 1), (2, 2, 1), (2, 2, 2))[
            int(rng.integers(0, 4))]
        with np.errstate(all="ignore"):
            oracle.launch(name, values, self.grid)

    def write_job(self, out, image, folder):
        out.write(f"image {image}\ngrid {' '.join(map(str, self.grid))}\n")
        for i, (elem, data, before) in enumerate(self.arguments):
            if elem is None:
                out.write(f"scalar {data & (1 << 64) - 1:x}\n")
            else:
                before.tofile(folder / f"argument{i}")
                out.write(f"buffer {folder / f'argument{i}'}\n")
        out.write("run\n")

    def mismatch(self, folder):
        for i, (elem, want, _) in enumerate(self.arguments):
            if elem is None:
                continue
            got = np.fromfile(folder / f"argument{i}", np.uint8)
            wrong = differs(elem, got, want, self.tolerance)
            if wrong.any():
                at = int(np.nonzero(wrong)[0][0])
                size = element_bytes(elem)
                pair = [from_bits(b.reshape(-1, size), elem)[at]
                        for b in (got, want)]
                return (f"argument {i} at {at}: {pair[0]}, the oracle says "
                        f"{pair[1]}; {np.count_nonzero(wrong)} differ")
        return None


def differs(elem, got, want, tolerance):
    size = element_bytes(elem)
    if elem == "i1" or elem.startswith("i"):
        return (got.reshape(-1, size) != want.reshape(-1, size)).any(1)
    a, b = (from_bits(x.reshape(-1, size), elem).astype(np.float64)
            for x in (got, want))
    relative, absolute = tolerance.get(elem, (0.26, 0.26))
    return ~np.isclose(a, b, rtol=relative, atol=absolute, equal_nan=True)


def compile_all(options, files, folder):
    """Images by file, and the errors of what has none."""
    command = [options.compiler, options.target, "image"]
    for i, file in enumerate(files):
        command += [str(file), str(folder / f"{i}.image")]
    done = subprocess.run(command, capture_output=True, text=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(files):
        sys.exit(f"the compiler died after {len(answers)} files: "
                 f"{done.stderr[-300:]}")
    return {a["file"]: a.get("error") for a in answers}


def run(options, launch, image, folder):
    """What is wrong with the launch, or None."""
    with open(folder / "jobs", "w") as out:
        launch.write_job(out, image, folder)
    command = options.emulator.split() + [options.runner, str(folder / "jobs")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.stdout.strip() != "ok":
        return f"{done.stdout.strip()} {done.stderr[-200:]} " \
               f"(exit {done.returncode})"
    return launch.mismatch(folder)


def run_cases(options, cases):
    """Runs each (name, text, makers of launches), until one launch is wrong.

    Prints the wrong ones and a count. Returns the status to exit with.
    """
    wrong = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        files = [folder / f"{i}.ttir" for i in range(len(cases))]
        for file, (_, text, _) in zip(files, cases):
            file.write_text(text)
        errors = compile_all(options, files, folder)
        for i, (name, _, makers) in enumerate(cases):
            problem = errors[str(files[i])]
            for make in makers:
                problem = problem or run(options, make(),
                                         folder / f"{i}.image", folder)
            if problem:
                print(f"{name}: {problem}")
                wrong += 1
    print(f"{len(cases) - wrong} of {len(cases)} kernels are right on "
          f"{options.target}")
    return 1 if wrong else 0


def arguments():
    """A parser of what every comparison is told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--runner", required=True)
    parser.add_argument("--target", default="host")
    parser.add_argument("--emulator", default="")
    return parser


def compare(options, file, image, folder):
    """("right" | "passed over: WHY" | "wrong: WHAT")."""
    text = file.read_text()
    if _UNDEFINED.search(file.name):
        return "passed over: undefined"
    ran = 0
    for seed in range(_ATTEMPTS):
        if ran == _LAUNCHES:
            break
        try:
            launch = Launch(text, seed)
        except (OutOfBounds, AssertFailed):
            continue
        except (Unsupported, NotImplementedError) as why:
            return f"passed over: {why}"
        wrong = run(options, launch, image, folder)
        if wrong:
            return f"wrong: launch {seed}: {wrong}"
        ran += 1
    return "right" if ran else "passed over: no launch stays inside"


def main():
    parser = arguments()
    parser.add_argument("--versions", default="3.9.0")
    parser.add_argument("--only", default="")
    parser.add_argument("folder", type=pathlib.Path)
    options = parser.parse_args()
    if not options.folder.is_dir():
        print(f"skipped: there are no kernels at {options.folder}")
        return 0
    files = [f for v in options.versions.split(",")
             for f in sorted((options.folder / v).glob("*.ttir"))
             if options.only in f.name]
    counts = collections.Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        errors = compile_all(options, files, folder)
        for i, file in enumerate(files):
            error = errors[str(file)]
            if error:
                result = "not lowered" if "not supported" in error or \
                    "is no kernel" in error else f"wrong: {error}"
            else:
                result = compare(options, file, folder / f"{i}.image", folder)
            counts[result.split(":")[0]] += 1
            if result.startswith("wrong"):
                print(f"{file.parent.name}/{file.stem}: {result}")
    print(", ".join(f"{n} {what}" for what, n in sorted(counts.items())))
    return 0 if counts["right"] and not counts["wrong"] else 1


if __name__ == "__main__":
    sys.exit(main())
