# Launches of Triton's tutorials 01, 02, 03 and 05 (forward) in a corpus of
# printed kernels. Sizes keep the divisibility that the kernels were made for.
import math

import numpy as np

import formats
from block_launches import matmul_launch, row_values, softmax_of
from elementwise_launches import random_values
from launch import Buffer, Launch, Scalar, blank, partly


def _step(info, name):
    """What sizes called `name` must be multiples of."""
    for attribute, value in info.get("attrs", {}).get(name, []):
        if attribute == "tt.divisibility":
            return value
    return 1


def _types(info):
    return {name: type_[1:] if type_.startswith("*") else type_
            for name, type_ in info["signature"]}


def add_kernel(info):
    types, block = _types(info), info["constexprs"]["BLOCK_SIZE"]
    type_, step = types["x_ptr"], _step(info, "n_elements")
    for n in sorted({n // step * step for n in
                     (1, 16, 17, 48, block - 1, block, block + 1,
                      3 * block + 80) if n >= step}):
        x = Buffer(type_, random_values(type_, n, 1))
        y = Buffer(type_, random_values(type_, n, 2))
        with np.errstate(invalid="ignore", over="ignore"):
            want = x.values + y.values
        if not formats.is_float(type_):
            want = want.astype(formats.STORAGE[type_]).astype(np.int64)
        out = Buffer(type_, blank(type_, n), want)
        yield Launch(f"n={n}", [x, y, out, Scalar("i32", n)],
                     (-(-n // block), 1, 1))


def softmax_kernel(info):
    types, block = _types(info), info["constexprs"]["BLOCK_SIZE"]
    type_ = types["input_ptr"]
    step, stride_step = _step(info, "n_cols"), _step(info, "input_row_stride")
    row_step = _step(info, "n_rows")
    for columns in sorted({n // step * step for n in
                           (1, 16, 33, block // 2 + 16, block - 1, block)
                           if n >= step}):
        rows = 5 if row_step == 1 else row_step
        stride = -(-(columns + 1) // stride_step) * stride_step
        wide = np.full((rows, stride), 3.0)
        wide[:, :columns] = row_values(rows, columns)
        x = Buffer(type_, wide.ravel())
        values = x.values.reshape(rows, stride)[:, :columns]
        narrow = type_ in ("fp16", "bf16")
        want = partly(type_, (rows, stride), np.s_[:, :columns],
                      softmax_of(values))
        # In narrow types the kernel rounds after every step.
        out = Buffer(type_, blank(type_, rows * stride), want,
                     16 * 2.0 ** -formats.DIGITS[type_] if narrow
                     else 1e-5 + columns * 4e-10,
                     1e-3 if narrow else 1e-37)
        # One version of the tutorial gives every row a program.
        loops = "n_rows" in types
        sizes = (stride, stride, rows, columns) if loops else (
            stride, stride, columns)
        yield Launch(f"columns={columns}",
                     [out, x] + [Scalar("i32", v) for v in sizes],
                     (2 if loops else rows, 1, 1))


def matmul_kernel(info):
    constants, types = info["constexprs"], _types(info)
    if "ACTIVATION" not in constants:
        return
    block = tuple(constants["BLOCK_SIZE_" + d] for d in "MNK")
    step = _step(info, "M")
    stride_step = _step(info, "stride_am")
    unit = _step(info, "stride_ak")
    leaky = constants["ACTIVATION"] == "leaky_relu"
    for shape in (block, (16, 16, 16), (112, 80, 48), (208, 144, 112)):
        m, n, k = (-(-size // step) * step for size in shape)
        strides = tuple((-(-columns * unit // stride_step) * stride_step, unit)
                        for columns in (k, n, n))
        yield matmul_launch(f"{m}x{n}x{k}", (types["a_ptr"], types["c_ptr"]),
                            (m, n, k), strides, block, leaky,
                            store_through="fp16")


def _layer_norm_fwd_fused(info):
    types = _types(info)
    type_ = types["X"]
    step = _step(info, "N")
    for columns in sorted({-(-n // step) * step
                           for n in (1, 100, 2047, 2048, 2064, 5000)}):
        rows = 3
        random = np.random.default_rng(2)
        x = Buffer(type_, random.normal(1, 2, rows * columns))
        values = x.values.reshape(rows, columns)
        weight = Buffer(types["W"], random.normal(1, 1, columns))
        bias = Buffer(types["B"], random.normal(0, 1, columns))
        mean = values.mean(axis=1, keepdims=True)
        rstd = 1 / np.sqrt(((values - mean) ** 2).mean(axis=1, keepdims=True)
                           + np.float32(1e-5))
        y = (values - mean) * rstd * weight.values + bias.values
        out = Buffer(types["Y"], blank(types["Y"], rows * columns), y, 2e-5,
                     2e-5)
        means = Buffer("fp32", blank("fp32", rows), mean, 1e-5, 1e-6)
        rstds = Buffer("fp32", blank("fp32", rows), rstd, 1e-5, 1e-6)
        yield Launch(f"columns={columns}",
                     [x, out, weight, bias, means, rstds,
                      Scalar("i32", columns), Scalar("i32", columns),
                      Scalar("fp32", 1e-5)], (rows, 1, 1))


TUTORIALS = {"add_kernel": add_kernel, "softmax_kernel": softmax_kernel,
             "matmul_kernel": matmul_kernel,
             "_layer_norm_fwd_fused": _layer_norm_fwd_fused}
