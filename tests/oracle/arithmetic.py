# Elementwise operations of the oracle.
import math
import re

import numpy as np

import formats
from triton_ir import Unsupported, Value, dtype_of, make, parse_type


def bits_of(value):
    """One row of bytes for each element."""
    data, elem = np.asarray(value.data).reshape(-1), value.elem
    if elem == "i1":
        data = data.astype(np.uint8)
    elif elem in formats.NARROW:
        data = formats.encode(data, elem)
    data = np.ascontiguousarray(data).reshape(-1)
    return data.view(np.uint8).reshape(len(data), data.dtype.itemsize)


def from_bits(rows, elem):
    rows = np.ascontiguousarray(rows)
    size = rows.shape[1]
    bits = rows.reshape(-1).view(f"u{size}")
    if elem == "i1":
        return (bits & 1).astype(bool)
    if elem in formats.NARROW:
        return formats.decode(bits, elem)
    return bits.view(np.dtype(dtype_of(elem)))


def unsigned(a):
    return a.astype(a.dtype.str.replace("i", "u")) if a.dtype != bool else a


def _erf(x):
    return np.vectorize(math.erf, otypes=[np.float64])(x.astype(np.float64))


def quotient(a, b):
    """Toward zero; by zero it is anything, here zero."""
    safe = np.where(b == 0, 1, b)
    size = np.abs(a.astype(object)) // np.abs(safe.astype(object)) \
        if a.dtype.itemsize == 8 else \
        np.abs(a.astype(np.int64)) // np.abs(safe.astype(np.int64))
    sign = np.where((a < 0) != (safe < 0), -1, 1)
    return (size * sign).astype(a.dtype)


def _in_f64(function):
    """Mathematics in f64, rounded to the element type."""
    def run(*args):
        with np.errstate(all="ignore"):
            return function(*[np.asarray(a, np.float64) for a in args])
    return run


def _pow2(a):
    return a.dtype.type


_INT = {
    "arith.addi": lambda a, b: a + b, "arith.subi": lambda a, b: a - b,
    "arith.muli": lambda a, b: a * b,
    "arith.andi": lambda a, b: a & b, "arith.ori": lambda a, b: a | b,
    "arith.xori": lambda a, b: a ^ b,
    "arith.divsi": quotient,
    "arith.remsi": lambda a, b: a - quotient(a, b) * b,
    "arith.divui": lambda a, b: (unsigned(a) // np.maximum(unsigned(b), 1)
                                 ).astype(a.dtype),
    "arith.remui": lambda a, b: (unsigned(a) % np.maximum(unsigned(b), 1)
                                 ).astype(a.dtype),
    "arith.shli": lambda a, b: a << b, "arith.shrsi": lambda a, b: a >> b,
    "arith.shrui": lambda a, b: (unsigned(a) >> unsigned(b)).astype(a.dtype),
    "arith.maxsi": np.maximum, "arith.minsi": np.minimum,
    "arith.maxui": lambda a, b: np.maximum(unsigned(a), unsigned(b)
                                           ).astype(a.dtype),
    "arith.minui": lambda a, b: np.minimum(unsigned(a), unsigned(b)
                                           ).astype(a.dtype),
    "math.absi": np.abs,
}

# Of one bit, where true is -1 to what is signed. Shifts of it change nothing.
_BIT = {
    "arith.addi": np.logical_xor, "arith.subi": np.logical_xor,
    "arith.muli": np.logical_and, "arith.maxsi": np.logical_and,
    "arith.minsi": np.logical_or, "arith.maxui": np.logical_or,
    "arith.minui": np.logical_and,
}

_FLOAT = {
    "arith.addf": lambda a, b: a + b, "arith.subf": lambda a, b: a - b,
    "arith.mulf": lambda a, b: a * b, "arith.divf": lambda a, b: a / b,
    "tt.precise_divf": lambda a, b: a / b, "arith.remf": np.fmod,
    "arith.negf": lambda a: -a, "arith.maxnumf": np.fmax,
    "arith.minnumf": np.fmin, "arith.maximumf": np.maximum,
    "arith.minimumf": np.minimum, "math.exp": np.exp, "math.exp2": np.exp2,
    "math.log": np.log, "math.log2": np.log2, "math.sin": np.sin,
    "math.cos": np.cos, "math.sqrt": np.sqrt, "tt.precise_sqrt": np.sqrt,
    "math.rsqrt": lambda a: 1 / np.sqrt(a), "math.absf": np.abs,
    "math.floor": np.floor, "math.ceil": np.ceil, "math.erf": _erf,
    "math.fma": lambda a, b, c: a * b + c,
}

_EXTERN = {
    "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log,
    "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "sin": np.sin,
    "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh,
    "tanh": np.tanh, "erf": _erf, "pow": np.power, "sqrt": np.sqrt,
    "rsqrt": lambda a: 1 / np.sqrt(a), "floor": np.floor, "ceil": np.ceil,
    "trunc": np.trunc, "rint": np.rint, "nearbyint": np.rint,
    "fabs": np.abs, "fma": lambda a, b, c: a * b + c,
    "round": lambda a: np.copysign(np.floor(np.abs(a) + 0.5), a),
    "erfc": lambda a: 1 - _erf(a), "copysign": np.copysign,
    "fmod": np.fmod, "fast_divide": lambda a, b: a / b,
    "fmax": np.fmax, "fmin": np.fmin,
}


def _result(types, args):
    """The result's type as far as the text says it, else the operand's."""
    if "->" in types:
        return parse_type(types.split("->")[-1])[1]
    if " to " in types:
        return parse_type(types.split(" to ")[-1])[1]
    return args[0].elem


def cast(op, head, args, types):
    elem = _result(types, args)
    data, from_elem = np.asarray(args[0].data), args[0].elem
    name = op.name
    if name in ("tt.bitcast", "arith.bitcast"):
        if from_elem.startswith("!tt.ptr"):
            return Value(data, elem)
        rows = bits_of(args[0])
        return Value(from_bits(rows, elem).reshape(data.shape), elem)
    if name in ("arith.extui", "arith.uitofp"):
        data = unsigned(data)
    if name in ("arith.extsi", "arith.sitofp") and data.dtype == bool:
        data = -data.astype(np.int8)
    if name == "arith.trunci" and elem == "i1":
        data = (data & 1).astype(bool)
    if name in ("arith.fptosi", "arith.fptoui"):
        with np.errstate(all="ignore"):
            wide = np.uint64 if name == "arith.fptoui" and elem == "i64" \
                else np.int64
            data = np.trunc(data.astype(np.float64)).astype(wide)
        return Value(data.astype(dtype_of(elem)), elem)
    if name == "tt.fp_to_fp" and "rounding = rtz" in head \
            and elem in formats.NARROW:
        return Value(formats.decode(formats.encode(data, elem, "rtz"), elem),
                     elem)
    return make(data, elem)


def _integer(op, head, args, types):
    with np.errstate(all="ignore"):
        data = [np.asarray(a.data) for a in args]
        table = _BIT if args[0].elem == "i1" and op.name in _BIT else _INT
        return Value(table[op.name](*data), args[0].elem)


def _float(op, head, args, types):
    elem = args[0].elem
    with np.errstate(all="ignore"):
        exact = op.name.startswith(("math.", "arith.remf")) and elem != "f64"
        data = [np.asarray(a.data, np.float64 if exact else None) for a in args]
        return make(_FLOAT[op.name](*data), elem)


def _compare(op, head, args, types):
    predicate = head.split(",")[0].strip()
    a, b = (np.asarray(x.data) for x in args)
    if op.name == "arith.cmpi":
        if predicate[0] == "u":
            a, b, predicate = unsigned(a), unsigned(b), "s" + predicate[1:]
        elif a.dtype == bool:
            a, b = -a.astype(np.int8), -b.astype(np.int8)
        result = {"eq": a == b, "ne": a != b, "slt": a < b, "sle": a <= b,
                  "sgt": a > b, "sge": a >= b}[predicate]
        return Value(result, "i1")
    nan = np.isnan(a) | np.isnan(b)
    if predicate in ("ord", "uno"):
        return Value(nan if predicate == "uno" else ~nan, "i1")
    with np.errstate(all="ignore"):
        result = {"eq": a == b, "ne": a != b, "lt": a < b, "le": a <= b,
                  "gt": a > b, "ge": a >= b}[predicate[1:]]
    return Value(result | nan if predicate[0] == "u" else result & ~nan, "i1")


def _select(op, head, args, types):
    c, a, b = args
    return Value(np.where(c.data, a.data, b.data).astype(a.data.dtype), a.elem)


def _addptr(op, head, args, types):
    pointer, offset = args
    inner = re.match(r"!tt\.ptr<(.*?)(?:, \d+)?>$", pointer.elem).group(1)
    size = 8 if inner.startswith("!tt") else \
        max(int(re.match(r"[a-z]+(\d+)", inner).group(1)) // 8, 1)
    return Value(np.asarray(pointer.data) +
                 np.asarray(offset.data).astype(np.int64) * size, pointer.elem)


def _mulhi(op, head, args, types):
    a, b = (unsigned(np.asarray(x.data)) for x in args)
    bits = a.dtype.itemsize * 8
    product = (a.astype(object) * b.astype(object)) >> bits
    return Value(np.asarray(product).astype(a.dtype).astype(
        np.asarray(args[0].data).dtype), args[0].elem)


def _clamp(op, head, args, types):
    x, low, high = (np.asarray(a.data) for a in args)
    if "propagateNan = all" in head:
        return make(np.minimum(np.maximum(x, low), high), args[0].elem)
    return make(np.fmin(np.fmax(x, low), high), args[0].elem)


def _extern(op, head, args, types):
    symbol = re.search(r'symbol = "(.*?)"', op.rest).group(1)
    elem = parse_type(types.split("->")[-1])[1]
    stem = re.sub("^__nv_", "", symbol)
    if args[0].elem == "f32":
        stem = re.sub("f$", "", stem)
    stem = {"fsqrt_rn": "sqrt", "dsqrt_rn": "sqrt", "finite": "isfinite"}.get(
        stem, stem)
    data = [np.asarray(a.data) for a in args]
    with np.errstate(all="ignore"):
        tests = {"isnan": np.isnan, "isinf": np.isinf,
                 "isfinite": np.isfinite, "signbit": np.signbit}
        for name, test in tests.items():
            if stem.startswith(name):
                return make(test(data[0]).astype(np.int32), elem)
        if stem.startswith("fast_") and stem != "fast_divide":
            stem = stem[5:]
        if stem not in _EXTERN or args[0].elem not in ("f32", "f64"):
            raise Unsupported(symbol)
        return make(_EXTERN[stem](*[d.astype(np.float64) for d in data]), elem)


ELEMENTWISE = {name: _integer for name in _INT}
ELEMENTWISE.update({name: _float for name in _FLOAT})
ELEMENTWISE.update({name: cast for name in (
    "arith.extsi", "arith.extui", "arith.trunci", "arith.sitofp",
    "arith.uitofp", "arith.fptosi", "arith.fptoui", "arith.extf",
    "arith.truncf", "tt.fp_to_fp", "tt.bitcast", "arith.bitcast",
    "tt.int_to_ptr", "tt.ptr_to_int", "arith.index_cast")})
ELEMENTWISE.update({
    "arith.cmpi": _compare, "arith.cmpf": _compare, "arith.select": _select,
    "tt.addptr": _addptr, "tt.mulhiui": _mulhi, "tt.clampf": _clamp,
    "tt.extern_elementwise": _extern})
