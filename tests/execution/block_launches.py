# Launches of tests/kernels/sources/rows.py and blocks.py, with NumPy's answers.
import math
import warnings

import numpy as np

import formats
from elementwise_launches import sizes
from launch import Buffer, Launch, Scalar, blank, partly


def softmax_of(x):
    with np.errstate(invalid="ignore"):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)


def row_values(rows, columns, seed=1):
    """Rows of several characters: usual, large, with NaN, with infinities."""
    x = np.random.default_rng(seed).normal(0, 4, (rows, columns))
    if rows > 3:
        x[1] *= 20
        x[2, columns // 2] = math.nan
        x[3, ::2] = -math.inf
    return x


def _strided(type_, x, stride):
    rows, columns = x.shape
    wide = np.full((rows, stride), 3.0)
    wide[:, :columns] = x
    return Buffer(type_, wide.ravel())


def softmax(case):
    type_, block = case.arguments[0][1:], case.constants["BLOCK"]
    for columns in [n for n in sizes(block) if 1 <= n <= block]:
        rows, stride, out_stride = 5, columns + 3, columns + 1
        x = _strided(type_, row_values(rows, columns), stride)
        values = x.values.reshape(rows, stride)[:, :columns]
        want = partly(type_, (rows, out_stride), np.s_[:, :columns],
                      softmax_of(values))
        out = Buffer(type_, blank(type_, rows * out_stride), want,
                     1e-5 + columns * 4e-10, 1e-37)
        yield Launch(f"columns={columns}",
                     [x, out, Scalar("i32", stride),
                      Scalar("i32", out_stride), Scalar("i32", columns)],
                     (rows, 1, 1))


def layer_norm(case):
    type_ = case.arguments[0][1:]
    for columns in (1, 17, 100, 1023, 1024, 1025, 3000):
        rows, stride = 4, columns + 2
        random = np.random.default_rng(2)
        x = _strided(type_, random.normal(1, 2, (rows, columns)), stride)
        values = x.values.reshape(rows, stride)[:, :columns]
        weight = Buffer(type_, random.normal(1, 1, columns))
        bias = Buffer(type_, random.normal(0, 1, columns))
        mean = values.mean(axis=1, keepdims=True)
        rstd = 1 / np.sqrt(((values - mean) ** 2).mean(axis=1, keepdims=True)
                           + np.float32(1e-5))
        y = (values - mean) * rstd * weight.values + bias.values
        want = partly(type_, (rows, stride), np.s_[:, :columns], y)
        out = Buffer(type_, blank(type_, rows * stride), want, 2e-5, 2e-5)
        means = Buffer("fp32", blank("fp32", rows), mean, 1e-5, 1e-6)
        rstds = Buffer("fp32", blank("fp32", rows), rstd, 1e-5, 1e-6)
        yield Launch(f"columns={columns}",
                     [x, out, weight, bias, means, rstds,
                      Scalar("i32", stride), Scalar("i32", columns),
                      Scalar("fp32", 1e-5)], (rows, 1, 1))


def rms_norm(case):
    for columns in (1, 100, 1023, 1024):
        rows = 3
        random = np.random.default_rng(3)
        x = Buffer("bf16", random.normal(0, 2, rows * columns))
        weight = Buffer("bf16", random.normal(1, 1, columns))
        values = x.values.reshape(rows, columns)
        rstd = 1 / np.sqrt((values ** 2).mean(axis=1, keepdims=True) + 1e-6)
        out = Buffer("bf16", blank("bf16", rows * columns),
                     values * rstd * weight.values, 1e-5, 1e-6)
        yield Launch(f"columns={columns}",
                     [x, out, weight, Scalar("i32", columns),
                      Scalar("i32", columns), Scalar("fp32", 1e-6)],
                     (rows, 1, 1))


def _reduced(operation, x, is_float):
    if operation == "sum":
        return x.sum(axis=1)
    if operation == "product":
        return x.prod(axis=1)
    if operation == "xor":
        return np.bitwise_xor.reduce(x, axis=1)
    # Triton's comparisons pass NaN by, as fmax and fmin do.
    return {"max": np.nanmax, "min": np.nanmin, "argmax": np.argmax,
            "argmin": np.argmin}[operation](x, axis=1)


def reduce_row(case):
    source, result = case.arguments[0][1:], case.arguments[1][1:]
    operation, block = case.constants["OPERATION"], case.constants["BLOCK"]
    for columns in [n for n in sizes(block) if 1 <= n <= block]:
        rows = 5
        random = np.random.default_rng(columns)
        if formats.is_float(source):
            scale = 0.05 if operation == "product" else 2
            x = random.normal(1 if operation == "product" else 0, scale,
                              (rows, columns))
            if operation in ("max", "min"):
                x[1, 0] = math.inf
                x[2, columns // 2] = -math.inf
                x[3] = math.nan
                x[3, columns // 2 + 1:] = (math.inf if operation == "min"
                                           else -math.inf)
                x[4] = math.nan  # Nothing else: NaN.
        else:
            x = random.integers(-900, 900, (rows, columns))
        if operation.startswith("arg"):
            x[0, columns // 3:] = x[0, columns // 3]  # The first of equals.
        source_buffer = Buffer(source, x.ravel())
        values = source_buffer.values.reshape(rows, columns)
        if operation in ("max", "min") and columns < block:
            # What the kernel loads beyond a row.
            beyond = -100000 if operation == "max" else 100000
            values = np.pad(values, ((0, 0), (0, 1)), constant_values=beyond)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Rows of nothing but NaN.
            want = _reduced(operation, values, formats.is_float(source))
        out = Buffer(result, blank(result, rows), want, 1e-4,
                     # Partial sums are rounded to f16.
                     0.3 if source == "fp16" else 2e-5)
        yield Launch(f"columns={columns}",
                     [source_buffer, out, Scalar("i32", columns)],
                     (rows, 1, 1))


def reduce_block(case):
    block_rows = case.constants["BLOCK_ROWS"]
    for rows, columns in ((1, 1), (16, 128), (15, 127), (17, 100), (40, 3)):
        x = Buffer("fp32", np.random.default_rng(rows).normal(
            0, 2, rows * columns))
        grid = -(-rows // block_rows)
        padded = np.zeros((grid * block_rows, columns))
        padded[:rows] = x.values.reshape(rows, columns)
        if case.constants["AXIS"] == 1:
            want = padded.sum(axis=1)[:rows]
        else:
            want = padded.reshape(grid, block_rows, columns).sum(axis=1)
        out = Buffer("fp32", blank("fp32", want.size), want, 1e-5, 1e-5)
        yield Launch(f"{rows}x{columns}",
                     [x, out, Scalar("i32", rows), Scalar("i32", columns)],
                     (grid, 1, 1))


def softmax_block(case):
    block_rows = case.constants["BLOCK_ROWS"]
    for rows, columns in ((1, 1), (8, 64), (7, 63), (9, 33), (20, 5)):
        x = Buffer("fp32", np.random.default_rng(rows).normal(
            0, 4, rows * columns))
        want = softmax_of(x.values.reshape(rows, columns))
        out = Buffer("fp32", blank("fp32", want.size), want, 5e-6, 1e-37)
        yield Launch(f"{rows}x{columns}",
                     [x, out, Scalar("i32", rows), Scalar("i32", columns)],
                     (-(-rows // block_rows), 1, 1))


SHAPES = ((1, 1), (16, 32), (15, 31), (17, 33), (40, 70), (100, 3))


def outer_add(case):
    for rows, columns in SHAPES:
        random = np.random.default_rng(rows)
        x = Buffer("fp32", random.normal(0, 2, rows))
        y = Buffer("fp32", random.normal(0, 2, columns))
        out = Buffer("fp32", blank("fp32", rows * columns),
                     x.values[:, None] + 2 * y.values[None, :], 0, 1e-6)
        yield Launch(f"{rows}x{columns}",
                     [x, y, out, Scalar("i32", rows),
                      Scalar("i32", columns)],
                     (-(-rows // 16), -(-columns // 32), 1))


def transpose(case):
    for rows, columns in SHAPES:
        x = Buffer("fp32", np.random.default_rng(rows).normal(
            0, 2, rows * columns))
        out = Buffer("fp32", blank("fp32", rows * columns),
                     x.values.reshape(rows, columns).T)
        yield Launch(f"{rows}x{columns}",
                     [x, out, Scalar("i32", rows), Scalar("i32", columns)],
                     (-(-rows // 16), -(-columns // 32), 1))


def total(case):
    for n in sizes(case.constants["BLOCK"]):
        x = Buffer("fp32", np.random.default_rng(n).normal(0, 2, n))
        out = Buffer("fp32", blank("fp32", 1), x.values.sum()[None], 1e-5,
                     1e-4)
        yield Launch(f"n={n}", [x, out, Scalar("i32", n)])


def recurrence(case):
    block = case.constants["BLOCK"]
    for steps in (0, 1, 2, 9):
        x = Buffer("fp32", np.random.default_rng(steps).normal(
            0, 2, max(1, steps) * block))
        state, weight = np.zeros(block), 1.0
        for step in range(steps):
            state = np.float32(0.9) * state + weight * x.values[
                step * block:(step + 1) * block]
            weight *= 0.5
        out = Buffer("fp32", blank("fp32", block), state, 1e-5, 1e-5)
        yield Launch(f"steps={steps}", [x, out, Scalar("i32", steps),
                                        Scalar("fp32", 0.9)])


def matmul_launch(name, types, shape, strides, block, leaky=False,
                  passed=(True,) * 6, store_through=None):
    """C = A B with row strides and element strides of a, b and c, of which
    those are arguments that `passed` says."""
    (a_type, c_type), (m, n, k) = types, shape
    random = np.random.default_rng(m + n + k)

    def matrix(rows, columns, row_stride, stride):
        count = (rows - 1) * row_stride + (columns - 1) * stride + 1
        values = (random.integers(-128, 128, count) if a_type == "i8"
                  else random.normal(0, 1, count))
        buffer = Buffer(a_type, values)
        index = (np.arange(rows)[:, None] * row_stride
                 + np.arange(columns)[None, :] * stride)
        return buffer, buffer.values[index]

    a, a_values = matrix(m, k, *strides[0])
    b, b_values = matrix(k, n, *strides[1])
    want = a_values @ b_values
    if leaky:
        want = np.where(want >= 0, want, np.float32(0.01) * want)
    if store_through:
        want = formats.rounded(store_through, want)
    count = (m - 1) * strides[2][0] + (n - 1) * strides[2][1] + 1
    places = (np.arange(m)[:, None] * strides[2][0]
              + np.arange(n)[None, :] * strides[2][1])
    c = Buffer(c_type, blank(c_type, count),
               partly(c_type, count, places, want),
               2e-3 if store_through else 1e-5, 2e-6 * max(k, 8)
               + (1e-3 if store_through else 0))
    scalars = [m, n, k]
    flat = [stride for pair in strides for stride in pair]
    scalars += [stride for stride, pass_it in zip(flat, passed) if pass_it]
    programs = -(-m // block[0]) * -(-n // block[1])
    return Launch(name, [a, b, c] + [Scalar("i32", s) for s in scalars],
                  (programs, 1, 1))


def matmul(case):
    block = tuple(case.constants["BLOCK_" + d] for d in "MNK")
    a_type, c_type = case.arguments[0][1:], case.arguments[2][1:]
    passed = [argument == "i32" for argument in case.arguments[6:]]
    gap = 1 if not all(passed) else 3
    for m, n, k in ((1, 1, 1), block, (64, 64, 64), (100, 70, 33),
                    (200, 136, 100), (65, 129, 31), (7, 200, 64),
                    (130, 5, 95)):
        b_strides = (n * gap + 1, gap) if passed[2] else (1, k + 3)
        strides = ((k * gap + 2, gap), b_strides, (n * gap + 4, gap))
        yield matmul_launch(f"{m}x{n}x{k}", (a_type, c_type), (m, n, k),
                            strides, block, case.constants["LEAKY"], passed)
