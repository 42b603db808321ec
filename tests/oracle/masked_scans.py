#!/usr/bin/env python3
"""Compares scans of what masks turn off with the oracle.

    masked_scans.py --compiler PROGRAM --runner PROGRAM [--target TARGET]
        [--emulator COMMAND]

Every kernel scans 16 x 64 elements along either axis, in either direction, and
masks one of the axes from some index on. Exits with 1 if any element differs.
"""
import functools
import itertools
import sys

import numpy as np

import compare
from interpreter import Interpreter
from memory import Memory

_SHAPE = (16, 64)
_COMBINATIONS = ("addi", "maxsi")
_LENGTHS = (0, 1, 15, 16, 17, 63, 64)


def kernel(combination, axis, masked, reverse):
    rows, columns = _SHAPE
    block, thin = f"{rows}x{columns}", (f"{rows}x1", f"1x{columns}")
    lines = []
    for i, size in enumerate(_SHAPE):
        lines.append(f"""
    %range{i} = tt.make_range {{end = {size} : i32, start = 0 : i32}} : \
tensor<{size}xi32>
    %line{i} = tt.expand_dims %range{i} {{axis = {1 - i} : i32}} : \
tensor<{size}xi32> -> tensor<{thin[i]}xi32>""")
    tensor, pointers = f"tensor<{block}xi32>", f"tensor<{block}x!tt.ptr<i32>>"
    line = f"tensor<{thin[masked]}xi32>"
    return f"""module {{
  tt.func public @k(%x: !tt.ptr<i32>, %out: !tt.ptr<i32>, %n: i32) \
attributes {{noinline = false}} {{{"".join(lines)}
    %width = arith.constant dense<{columns}> : tensor<{thin[0]}xi32>
    %other = arith.constant dense<3> : {tensor}
    %first = arith.muli %line0, %width : tensor<{thin[0]}xi32>
    %a = tt.broadcast %first : tensor<{thin[0]}xi32> -> {tensor}
    %b = tt.broadcast %line1 : tensor<{thin[1]}xi32> -> {tensor}
    %index = arith.addi %a, %b : {tensor}
    %limit = tt.splat %n : i32 -> {line}
    %below = arith.cmpi slt, %line{masked}, %limit : {line}
    %mask = tt.broadcast %below : tensor<{thin[masked]}xi1> -> \
tensor<{block}xi1>
    %from = tt.splat %x : !tt.ptr<i32> -> {pointers}
    %source = tt.addptr %from, %index : {pointers}, {tensor}
    %values = tt.load %source, %mask, %other : {pointers}
    %scan = "tt.scan"(%values) <{{axis = {axis} : i32, reverse = {reverse}}}> ({{
    ^bb0(%left: i32, %right: i32):
      %both = arith.{combination} %left, %right : i32
      tt.scan.return %both : i32
    }}) : ({tensor}) -> {tensor}
    %to = tt.splat %out : !tt.ptr<i32> -> {pointers}
    %places = tt.addptr %to, %index : {pointers}, {tensor}
    tt.store %places, %scan : {pointers}
    tt.return
  }}
}}
"""


class ScanLaunch(compare.Launch):
    def __init__(self, text, n):
        count = _SHAPE[0] * _SHAPE[1]
        values = np.random.default_rng(n).integers(-99, 99, count, np.int32)
        self.memory, self.arguments, self.grid = Memory(), [], (1, 1, 1)
        for i, data in enumerate((values, np.zeros(count, np.int32))):
            data = data.view(np.uint8)
            self.arguments.append(("i32", data, data.copy()))
            self.memory.add(i + 1 << 32, data)
        self.arguments.append((None, n, None))
        Interpreter(text, self.memory).launch("k", [1 << 32, 2 << 32, n],
                                              self.grid)


def case(combination, axis, masked, reverse):
    text = kernel(combination, axis, masked, reverse)
    name = f"{combination} along {axis}, {masked} masked, reverse: {reverse}"
    return (name, text, [functools.partial(ScanLaunch, text, n)
                         for n in _LENGTHS])


def main():
    return compare.run_cases(
        compare.arguments().parse_args(),
        [case(*form) for form in itertools.product(
            _COMBINATIONS, (0, 1), (0, 1), ("false", "true"))])


if __name__ == "__main__":
    sys.exit(main())
