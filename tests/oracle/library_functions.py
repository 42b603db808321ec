#!/usr/bin/env python3
"""Runs the functions of device libraries beside Python's.

    library_functions.py --compiler PROGRAM --runner PROGRAM [--target TARGET]
        [--emulator COMMAND]

Every kernel applies one function to 256 numbers. Exits with 1 if any result is
off by more than a few units in the last place.
"""
import functools
import math
import sys

import numpy as np

import compare

_COUNT = 256


def _each(function):
    return np.vectorize(function, otypes=[np.float64])


def _erfinv(x):
    low, high = -7.0, 7.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if math.erf(middle) < x else (low, middle)
    return low


# Name, what it is, the range of its arguments; None: of all sizes.
_ONE = (
    ("asinh", np.arcsinh, (-50, 50)), ("acosh", np.arccosh, (1, 50)),
    ("atanh", np.arctanh, (-1, 1)), ("cbrt", np.cbrt, (-50, 50)),
    ("rcbrt", lambda x: 1 / np.cbrt(x), (1, 50)),
    ("exp10", lambda x: 10.0 ** x, (-5, 5)),
    ("sinpi", lambda x: np.sin(np.pi * x), (-0.5, 0.5)),
    ("cospi", lambda x: np.cos(np.pi * x), (-0.4, 0.4)),
    ("lgamma", _each(math.lgamma), (0.1, 40)),
    ("erfinv", _each(_erfinv), (-0.5, 0.5)),
    ("erfcx", _each(lambda x: math.exp(x * x) * math.erfc(x)), (-2, 2)),
)
_TWO = (
    ("hypot", np.hypot, (-50, 50)), ("fmod", np.fmod, (-500, 500)),
    ("fmod", np.fmod, None),
    ("rhypot", lambda x, y: 1 / np.hypot(x, y), (1, 50)),
    ("fdim", lambda x, y: np.maximum(x - y, 0), (-50, 50)),
    ("nextafter", np.nextafter, (-50, 50)),
    ("nextafter", np.nextafter, None),
)
_EXACT = (np.fmod, np.nextafter)  # To the last bit; of any two numbers.
_POWERS = (("ldexp", np.ldexp, (-50, 50)), ("scalbn", np.ldexp, (-50, 50)))
_INTEGERS = (
    ("min", np.minimum), ("max", np.maximum),
    ("umin", lambda x, y: np.minimum(x.view(np.uint32), y.view(np.uint32))),
    ("umax", lambda x, y: np.maximum(x.view(np.uint32), y.view(np.uint32))))


def kernel(symbol, kinds):
    """Applies `symbol` to tensors of `kinds` but the last, its result's."""
    lines, names = [], "xyz"
    for name, kind in zip(names, kinds):
        pointers = f"tensor<{_COUNT}x!tt.ptr<{kind}>>"
        lines += [f"%{name}s = tt.splat %{name} : !tt.ptr<{kind}> -> "
                  f"{pointers}",
                  f"%{name}p = tt.addptr %{name}s, %i : {pointers}, "
                  f"tensor<{_COUNT}xi32>"]
        if name != names[len(kinds) - 1]:
            lines.append(f"%{name}v = tt.load %{name}p : {pointers}")
    types = [f"tensor<{_COUNT}x{kind}>" for kind in kinds]
    operands = ", ".join(f"%{n}v" for n in names[:len(kinds) - 1])
    lines.append(
        f"%r = tt.extern_elementwise {operands} {{libname = \"\", libpath = "
        f'"", pure = true, symbol = "{symbol}"}} : '
        f"({', '.join(types[:-1])}) -> {types[-1]}")
    last = names[len(kinds) - 1]
    lines.append(f"tt.store %{last}p, %r : tensor<{_COUNT}x!tt.ptr<"
                 f"{kinds[-1]}>>")
    arguments = ", ".join(f"%{n}: !tt.ptr<{k}>" for n, k in zip(names, kinds))
    body = "\n    ".join(lines)
    return f"""module {{
  tt.func public @k({arguments}) attributes {{noinline = false}} {{
    %i = tt.make_range {{end = {_COUNT} : i32, start = 0 : i32}} : \
tensor<{_COUNT}xi32>
    {body}
    tt.return
  }}
}}
"""


class FunctionLaunch(compare.Launch):
    """Inputs, and an output that must hold what `function` says."""

    tolerance = {"f32": (4e-7, 1e-30), "f64": (4e-15, 2e-15)}

    def __init__(self, kinds, inputs, function):
        self.arguments, self.grid = [], (1, 1, 1)
        if function is not np.nextafter:  # Whose result is of its type.
            inputs = [x if x.dtype.kind == "i" else x.astype(np.float64)
                      for x in inputs]
        with np.errstate(all="ignore"):
            want = function(*inputs)
        if function in _EXACT:
            self.tolerance = {"f32": (0, 0), "f64": (0, 0)}
        for kind, x in zip(kinds, [*inputs, want]):
            x = np.asarray(x)
            if kind[0] == "f":
                x = x.astype(f"f{int(kind[1:]) // 8}")
            data = np.ascontiguousarray(x).view(np.uint8)
            self.arguments.append((kind, data, data.copy()))
        kind, data, _ = self.arguments[-1]
        self.arguments[-1] = (kind, data, np.zeros_like(data))


_SPECIAL = np.repeat([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1e-45], 9)


def _inputs(kinds, span):
    rng = np.random.default_rng(3)
    for kind in kinds:
        if kind == "i32":
            yield rng.integers(-20, 20, _COUNT, np.int32)
        elif span is None:
            size = 300 if kind == "f64" else 38
            x = np.power(10.0, rng.uniform(-size, size, _COUNT))
            x[:len(_SPECIAL)] = rng.permutation(_SPECIAL)
            yield x.astype(f"f{int(kind[1:]) // 8}")
        else:
            yield rng.uniform(*span, _COUNT).astype(f"f{int(kind[1:]) // 8}")


def case(symbol, kinds, function, span=(0, 1)):
    make = functools.partial(FunctionLaunch, kinds,
                             list(_inputs(kinds[:-1], span)), function)
    return f"{symbol} of {kinds[0]}", kernel(symbol, kinds), [make]


def cases():
    for kind, suffix in (("f32", "f"), ("f64", "")):
        for name, function, span in _ONE:
            yield case(f"__nv_{name}{suffix}", (kind, kind), function, span)
        for name, function, span in _TWO:
            yield case(f"__nv_{name}{suffix}", (kind,) * 3, function, span)
        for name, function, span in _POWERS:
            yield case(f"__nv_{name}{suffix}", (kind, "i32", kind), function,
                       span)
    for name, function in _INTEGERS:
        yield case(f"__nv_{name}", ("i32",) * 3, function)


def main():
    return compare.run_cases(compare.arguments().parse_args(), list(cases()))


if __name__ == "__main__":
    sys.exit(main())
