# Values as the bytes that kernels see, for all element types of Triton.
import numpy as np

# Triton's spelling: NumPy's type of the bytes; for formats that NumPy lacks
# an unsigned integer.
STORAGE = {
    "fp64": np.float64, "fp32": np.float32, "fp16": np.float16,
    "bf16": np.uint16, "fp8e5": np.uint8, "i64": np.int64, "i32": np.int32,
    "i16": np.int16, "i8": np.int8, "u8": np.uint8, "i1": np.uint8,
}
# Digits of the significand, the leading one included.
DIGITS = {"fp64": 53, "fp32": 24, "fp16": 11, "bf16": 8, "fp8e5": 3}


def is_float(name):
    return name in DIGITS


def _to_bf16(values):
    bits = np.asarray(values, np.float32).view(np.uint32)
    rounded = bits + 0x7fff + ((bits >> 16) & 1)
    quiet = (bits >> 16) | 0x40
    return np.where(np.isnan(values), quiet, rounded >> 16).astype(np.uint16)


def _to_fp8e5(values):
    # The upper byte of an f16, rounded to nearest even, held to the largest.
    values = np.clip(np.asarray(values, np.float32), -57344, 57344)
    bits = values.astype(np.float16).view(np.uint16).astype(np.uint32)
    rounded = (bits + 0x7f + ((bits >> 8) & 1)) >> 8
    return np.where(np.isnan(values), 0x7f, rounded).astype(np.uint8)


def encode(name, values):
    """Float64 or integer values as an array of STORAGE[name]."""
    if name == "bf16":
        return _to_bf16(values)
    if name == "fp8e5":
        return _to_fp8e5(values)
    with np.errstate(over="ignore"):
        return np.asarray(values).astype(STORAGE[name])


def decode(name, stored):
    """The values of an array of STORAGE[name]: float64, or int64."""
    if name == "bf16":
        wide = stored.astype(np.uint32) << 16
        return wide.view(np.float32).astype(np.float64)
    if name == "fp8e5":
        wide = stored.astype(np.uint16) << 8
        return wide.view(np.float16).astype(np.float64)
    return stored.astype(np.float64 if is_float(name) else np.int64)


def rounded(name, values):
    """`values` as they are after being stored as `name`."""
    return decode(name, encode(name, values))


def mismatch(name, got, want, relative, absolute):
    """None, or what is wrong with `got`. NaN equals NaN. Floats may differ by
    `relative` of `want`, by `absolute`, and by rounding to `name`."""
    if not is_float(name):
        wrong = got != want
    else:
        unit = 2.0 ** (1 - DIGITS[name])
        with np.errstate(invalid="ignore", over="ignore"):
            near = np.abs(got - want) <= absolute + np.abs(want) * (
                relative + unit * 0.5000001)
            stored = rounded(name, want)
        equal = (got == want) | (got == stored)
        wrong = ~(near | equal | (np.isnan(got) & np.isnan(want)))
    count = int(np.count_nonzero(wrong))
    if count == 0:
        return None
    first = int(np.flatnonzero(wrong.ravel())[0])
    return (f"{count} of {got.size} wrong, first at {first}: "
            f"{got.ravel()[first]}, not {want.ravel()[first]}")
