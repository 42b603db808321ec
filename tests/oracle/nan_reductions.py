#!/usr/bin/env python3
"""Compares maxima and minima of NaN, infinities and numbers with the oracle.

    nan_reductions.py --compiler PROGRAM --runner PROGRAM [--target TARGET]
        [--emulator COMMAND]

Every kernel reduces a row of 64 elements, or two dimensions of 16 x 64 along
either. Exits with 1 if any element differs.
"""
import functools
import itertools
import sys

import numpy as np

import compare
import formats
from interpreter import Interpreter
from memory import Memory
from memory_operations import element_bytes

_COLUMNS = 64
_ROWS = 16

_OPERATIONS = ("maxnumf", "minnumf", "maximumf", "minimumf")
_TYPES = ("f32", "f64", "f16", "bf16")
# How rows are reduced: what is loaded beyond a row, or that all is loaded; and
# whether the loop that reads a row also writes it.
_ROW_FORMS = tuple(itertools.product(("infinity", "zero", "all"),
                                     (False, True)))


def signature(kind):
    return (f"tt.func public @k(%x: !tt.ptr<{kind}>, %out: !tt.ptr<{kind}>, "
            "%n: i32) attributes {noinline = false}")


def row_kernel(operation, kind, beyond, writes):
    other = {"infinity": "0x" + infinity_bits(kind, operation[:3] == "max"),
             "zero": "0.0", "all": None}[beyond]
    tensor = f"tensor<{_COLUMNS}x{kind}>"
    pointers = f"tensor<{_COLUMNS}x!tt.ptr<{kind}>>"
    indices = f"tensor<{_COLUMNS}xi32>"
    bounds = f"end = {_COLUMNS} : i32, start = 0 : i32"
    mask = ", %inside" if other else ""
    operand = ", %inside, %other" if other else ""
    store = f"""
    tt.store %places, %double{mask} : {pointers}""" if writes else ""
    constant = f"""
    %other = arith.constant dense<{other}> : {tensor}""" if other else ""
    return f"""module {{
  {signature(kind)} {{
    %width = arith.constant {_COLUMNS} : i32{constant}
    %row = tt.get_program_id x : i32
    %first = arith.muli %row, %width : i32
    %range = tt.make_range {{{bounds}}} : {indices}
    %limit = tt.splat %n : i32 -> {indices}
    %inside = arith.cmpi slt, %range, %limit : {indices}
    %from = tt.addptr %x, %first : !tt.ptr<{kind}>, i32
    %base = tt.splat %from : !tt.ptr<{kind}> -> {pointers}
    %places = tt.addptr %base, %range : {pointers}, {indices}
    %values = tt.load %places{operand} : {pointers}
    %double = arith.addf %values, %values : {tensor}{store}
    %most = "tt.reduce"(%values) <{{axis = 0 : i32}}> ({{
    ^bb0(%a: {kind}, %b: {kind}):
      %c = arith.{operation} %a, %b : {kind}
      tt.reduce.return %c : {kind}
    }}) : ({tensor}) -> {kind}
    %place = tt.addptr %out, %row : !tt.ptr<{kind}>, i32
    tt.store %place, %most : !tt.ptr<{kind}>
    tt.return
  }}
}}
"""


def block_kernel(operation, kind, axis):
    shape = f"{_ROWS}x{_COLUMNS}"
    result = (_COLUMNS, _ROWS)[axis]
    thin, flat = f"tensor<{_ROWS}x1xi32>", f"tensor<1x{_COLUMNS}xi32>"
    down, along = f"tensor<{_ROWS}xi32>", f"tensor<{_COLUMNS}xi32>"
    indices = f"tensor<{shape}xi32>"
    pointers = f"tensor<{shape}x!tt.ptr<{kind}>>"
    to = f"tensor<{result}xi32>"
    outs = f"tensor<{result}x!tt.ptr<{kind}>>"
    return f"""module {{
  {signature(kind)} {{
    %down = tt.make_range {{end = {_ROWS} : i32, start = 0 : i32}} : {down}
    %rows = tt.expand_dims %down {{axis = 1 : i32}} : {down} -> {thin}
    %width = arith.constant dense<{_COLUMNS}> : {thin}
    %firsts = arith.muli %rows, %width : {thin}
    %first = tt.broadcast %firsts : {thin} -> {indices}
    %along = tt.make_range {{end = {_COLUMNS} : i32, start = 0 : i32}} : {along}
    %columns = tt.expand_dims %along {{axis = 0 : i32}} : {along} -> {flat}
    %column = tt.broadcast %columns : {flat} -> {indices}
    %index = arith.addi %first, %column : {indices}
    %base = tt.splat %x : !tt.ptr<{kind}> -> {pointers}
    %places = tt.addptr %base, %index : {pointers}, {indices}
    %values = tt.load %places : {pointers}
    %most = "tt.reduce"(%values) <{{axis = {axis} : i32}}> ({{
    ^bb0(%a: {kind}, %b: {kind}):
      %c = arith.{operation} %a, %b : {kind}
      tt.reduce.return %c : {kind}
    }}) : (tensor<{shape}x{kind}>) -> tensor<{result}x{kind}>
    %to = tt.make_range {{end = {result} : i32, start = 0 : i32}} : {to}
    %outs = tt.splat %out : !tt.ptr<{kind}> -> {outs}
    %place = tt.addptr %outs, %to : {outs}, {to}
    tt.store %place, %most : {outs}
    tt.return
  }}
}}
"""


def infinity_bits(kind, negative):
    bits = {"f64": "7FF0000000000000", "f32": "7F800000", "f16": "7C00",
            "bf16": "7F80"}[kind]
    return ("F" if negative else "7") + bits[1:]


def encoded(values, kind):
    if kind in ("f32", "f64"):
        return values.astype(f"f{int(kind[1:]) // 8}").view(np.uint8).ravel()
    return formats.encode(values.astype(np.float32).ravel(),
                          kind).view(np.uint8)


def special_rows():
    """Rows of numbers; with NaN; of nothing but NaN, or but infinities."""
    random = np.random.default_rng(1)
    x = np.round(random.normal(0, 4, (_ROWS, _COLUMNS)), 2)
    x[1, ::3] = np.nan
    x[2:8] = np.nan
    x[3, 5], x[4, 63], x[5, 0], x[6, 17] = -np.inf, np.inf, -np.inf, 2
    x[8], x[9] = -np.inf, np.inf
    x[10, :32] = np.nan
    x[:, 20:24] = np.nan
    x[12, 20], x[13, 21] = np.inf, -np.inf
    return x


class NanLaunch(compare.Launch):
    def __init__(self, text, kind, n, rows):
        self.memory, self.grid = Memory(), (rows, 1, 1)
        data = encoded(special_rows(), kind)
        out = np.full(_COLUMNS * element_bytes(kind), 7, np.uint8)
        self.arguments = [(kind, data, data.copy()), (kind, out, out.copy()),
                          (None, n, None)]
        self.memory.add(1 << 32, data)
        self.memory.add(2 << 32, out)
        with np.errstate(all="ignore"):
            Interpreter(text, self.memory).launch("k", [1 << 32, 2 << 32, n],
                                                  self.grid)


def kernels():
    """(name, text, type, rows of the grid, lengths of a row)."""
    for operation, kind in itertools.product(_OPERATIONS, _TYPES):
        for beyond, writes in _ROW_FORMS:
            lengths = (64,) if beyond == "all" else (0, 1, 17, 32, 63, 64)
            yield (f"{operation} of {kind} rows, {beyond}, writes: {writes}",
                   row_kernel(operation, kind, beyond, writes), kind, _ROWS,
                   lengths)
        for axis in (0, 1):
            yield (f"{operation} of {kind} along {axis}",
                   block_kernel(operation, kind, axis), kind, 1, (64,))


def launches(text, kind, rows, lengths):
    return [functools.partial(NanLaunch, text, kind, n, rows) for n in lengths]


def main():
    return compare.run_cases(
        compare.arguments().parse_args(),
        [(name, text, launches(text, *shape))
         for name, text, *shape in kernels()])


if __name__ == "__main__":
    sys.exit(main())
