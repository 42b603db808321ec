# Launches of tests/kernels/sources/elementwise.py, with NumPy's answers.
import math

import numpy as np

import formats
from launch import Buffer, Launch, Scalar, blank, partly


def sizes(block):
    """Around every boundary that a loop over a block can have."""
    around = {0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, block // 2 + 1,
              block - 1, block, block + 1, 2 * block + 33}
    return sorted(n for n in around if n >= 0 and n <= 200000)


def random_values(type_, count, seed=1):
    random = np.random.default_rng(seed)
    if formats.is_float(type_):
        values = random.normal(0, 3, count)
        for i, special in enumerate((math.nan, math.inf, -math.inf, -0.0,
                                     1e-40, 65504.0, -1e30)):
            if count > 3 * i + 2:
                values[3 * i + 2] = special
        return values
    info = np.iinfo(formats.STORAGE[type_])
    return random.integers(info.min, info.max, count, endpoint=True)


def _grid(count, block):
    return (max(1, -(-count // block)), 1, 1)


def _wrap(type_, values):
    return values.astype(formats.STORAGE[type_]).astype(np.int64)


def add(case):
    type_ = case.arguments[0][1:]
    block = case.constants["BLOCK"]
    for n in sizes(block):
        x = Buffer(type_, random_values(type_, n, 1))
        y = Buffer(type_, random_values(type_, n, 2))
        with np.errstate(invalid="ignore", over="ignore"):
            want = x.values + y.values
        if not formats.is_float(type_):
            want = _wrap(type_, want)
        out = Buffer(type_, blank(type_, n), want)
        yield Launch(f"n={n}", [x, y, out, Scalar("i32", n)], _grid(n, block))


def cast(case):
    source, result = case.arguments[0][1:], case.arguments[1][1:]
    block = case.constants["BLOCK"]
    for n in sizes(block):
        values = random_values(source, n)
        if formats.is_float(source) and not formats.is_float(result):
            # What does not fit an integer has no defined value.
            values = np.clip(np.nan_to_num(values), -100, 100)
        x = Buffer(source, values)
        want = x.values
        if not formats.is_float(result):
            if formats.is_float(source):
                want = np.trunc(want).astype(np.int64)
            want = _wrap(result, want)
        elif result == "fp32" and not formats.is_float(source):
            want = want.astype(np.float32).astype(np.float64)
        want = formats.rounded(result, want)
        if source == "fp64" and result == "fp16":
            with np.errstate(over="ignore"):
                want = np.float64(x.stored.astype(np.float16))
        out = Buffer(result, blank(result, n), want)
        yield Launch(f"n={n}", [x, out, Scalar("i32", n)], _grid(n, block))


def _erf(values):
    return np.array([math.erf(v) for v in values])


UNARY = {
    "exp": np.exp, "exp2": np.exp2, "log": np.log, "log2": np.log2,
    "sin": np.sin, "cos": np.cos, "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x), "erf": _erf, "floor": np.floor,
    "ceil": np.ceil, "abs": np.abs,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "gelu": lambda x: 0.5 * x * (1 + _erf(x * 0.7071067811865476)),
}


def unary(case):
    type_ = case.arguments[0][1:]
    name, block = case.constants["FUNCTION"], case.constants["BLOCK"]
    relative = 4 * 2.0 ** -formats.DIGITS[type_]
    for n in sizes(block):
        x = Buffer(type_, random_values(type_, n))
        with np.errstate(all="ignore"):
            want = UNARY[name](x.values)
        absolute = 2e-7 if name in ("gelu", "sigmoid") else 1e-44
        if name in ("sin", "cos"):
            absolute = 1e-12
        out = Buffer(type_, blank(type_, n), want, relative, absolute)
        yield Launch(f"n={n}", [x, out, Scalar("i32", n)], _grid(n, block))


def _integer_result(operation, x, y):
    if operation == "divide":
        return np.trunc(x / y).astype(np.int64)
    if operation == "remainder":
        return np.fmod(x, y)
    if operation == "shift":
        left = _wrap("i32", x << (y & 7))
        return left ^ (x >> (y & 15))
    if operation == "bits":
        return ((x & y) | 5) ^ ~y
    return np.minimum(x, y) * 3 - np.maximum(x, y)


def integers(case):
    block = case.constants["BLOCK"]
    for n in sizes(block):
        x = Buffer("i32", random_values("i32", n, 1))
        y_values = random_values("i32", n, 2)
        y_values[::3] = y_values[::3] % 100 + 1
        y_values[y_values == 0] = 1
        y = Buffer("i32", y_values)
        want = _wrap("i32", _integer_result(case.constants["OPERATION"],
                                            x.values, y.values))
        out = Buffer("i32", blank("i32", n), want)
        yield Launch(f"n={n}", [x, y, out, Scalar("i32", n)], _grid(n, block))


def choose(case):
    block = case.constants["BLOCK"]
    for n in sizes(block):
        random = np.random.default_rng(4)
        x = Buffer("fp32", random.normal(0, 2, n))
        y = Buffer("fp32", random.normal(0, 2, n))
        index = np.arange(n)
        want = np.where((x.values > y.values) & (index % 3 != 0),
                        x.values - y.values,
                        np.minimum(x.values, 2 * y.values))
        out = Buffer("fp32", blank("fp32", n), want)
        yield Launch(f"n={n}", [x, y, out, Scalar("i32", n)], _grid(n, block))


def scale_add(case):
    block = case.constants["BLOCK"]
    for n in sizes(block):
        x = Buffer("fp32", random_values("fp32", n, 1))
        y = Buffer("fp32", random_values("fp32", n, 2))
        with np.errstate(invalid="ignore"):
            want = 1.5 * x.values + y.values
        out = Buffer("fp32", blank("fp32", n), want, 0, 1e-6)
        yield Launch(f"n={n}", [x, y, out, Scalar("fp32", 1.5),
                                Scalar("i64", n)], _grid(n, block))


def embed(case):
    for columns in (1, 63, 64, 65, 200):
        table = Buffer("fp32", random_values("fp32", 9 * columns))
        rows = np.array([3, 0, 8, 3, 5])
        want = table.values.reshape(9, columns)[rows]
        out = Buffer("fp32", blank("fp32", 5 * columns), want)
        yield Launch(f"columns={columns}",
                     [table, Buffer("i64", rows), out, Scalar("i32", columns)],
                     (5, 1, 1))


def gather(case):
    block = case.constants["BLOCK"]
    for n in sizes(block):
        x = Buffer("fp32", random_values("fp32", 50))
        index = np.random.default_rng(6).integers(-10, 50, n)
        want = np.where(index >= 0, x.values[index], -1.0)
        out = Buffer("fp32", blank("fp32", n), want)
        yield Launch(f"n={n}", [x, Buffer("i32", index), out,
                                Scalar("i32", n)], _grid(n, block))


def places(case):
    z, y, x = np.meshgrid(np.arange(2), np.arange(3), np.arange(5),
                          indexing="ij")
    want = (10000 * x + 100 * y + z).ravel()
    yield Launch("grid", [Buffer("i32", blank("i32", 30), want)], (5, 3, 2))


def nothing(case):
    yield Launch("grid", [Buffer("fp32", np.ones(4))], (3, 1, 1))
