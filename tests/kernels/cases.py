# The kernels of this folder: which function, argument types and constants each
# printed file was made of. Needs no Triton; generate.py and the tests read it.
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    name: str       # Of the file, without ".ttir".
    function: str   # "module.function" in sources/.
    # Types of the arguments in order, in Triton's spelling. An integer instead
    # of a type is a constant that the compiled kernel has no argument for.
    arguments: tuple
    constants: dict = field(default_factory=dict)
    with_locations: bool = False


def _elementwise():
    for short, long in (("f32", "fp32"), ("f16", "fp16"), ("bf16", "bf16"),
                        ("f64", "fp64"), ("i32", "i32"), ("i8", "i8")):
        p = "*" + long
        yield Case(f"add_{short}", "elementwise.add", (p, p, p, "i32"),
                   {"BLOCK": 1024})
    for block in (128, 65536):
        yield Case(f"add_f32_block{block}", "elementwise.add",
                   ("*fp32",) * 3 + ("i32",), {"BLOCK": block})
    yield Case("add_f32_locations", "elementwise.add",
               ("*fp32",) * 3 + ("i32",), {"BLOCK": 1024}, True)
    for source, result in (
            ("fp32", "fp16"), ("fp32", "bf16"), ("fp16", "fp32"),
            ("bf16", "fp32"), ("fp32", "i32"), ("i32", "fp32"),
            ("fp32", "fp64"), ("fp64", "fp32"), ("i64", "i32"), ("i8", "i32"),
            ("fp32", "i8"), ("fp16", "bf16"), ("fp8e5", "fp32"),
            ("fp32", "fp8e5"), ("fp64", "fp16"), ("u8", "fp32")):
        yield Case(f"cast_{source}_to_{result}", "elementwise.cast",
                   ("*" + source, "*" + result, "i32"), {"BLOCK": 256})
    for function in ("exp", "exp2", "log", "log2", "sin", "cos", "sqrt",
                     "rsqrt", "erf", "floor", "ceil", "abs", "sigmoid",
                     "gelu"):
        yield Case(f"{function}_f32", "elementwise.unary",
                   ("*fp32", "*fp32", "i32"),
                   {"FUNCTION": function, "BLOCK": 256})
    yield Case("exp_f64", "elementwise.unary", ("*fp64", "*fp64", "i32"),
               {"FUNCTION": "exp", "BLOCK": 256})
    for operation in ("divide", "remainder", "shift", "bits", "minmax"):
        yield Case(f"{operation}_i32", "elementwise.integers",
                   ("*i32", "*i32", "*i32", "i32"),
                   {"OPERATION": operation, "BLOCK": 256})
    yield Case("choose_f32", "elementwise.choose",
               ("*fp32", "*fp32", "*fp32", "i32"), {"BLOCK": 256})
    yield Case("scale_add_f32", "elementwise.scale_add",
               ("*fp32", "*fp32", "*fp32", "fp32", "i64"), {"BLOCK": 256})
    yield Case("embed_f32", "elementwise.embed",
               ("*fp32", "*i64", "*fp32", "i32"), {"BLOCK": 64})
    yield Case("gather_f32", "elementwise.gather",
               ("*fp32", "*i32", "*fp32", "i32"), {"BLOCK": 128})
    yield Case("places_i32", "elementwise.places", ("*i32",))
    yield Case("nothing", "elementwise.nothing", ("*fp32",))


def _rows():
    for short, long in (("f32", "fp32"), ("f16", "fp16"), ("bf16", "bf16")):
        p = "*" + long
        yield Case(f"softmax_{short}", "rows.softmax",
                   (p, p, "i32", "i32", "i32"), {"BLOCK": 1024})
        yield Case(f"layer_norm_{short}", "rows.layer_norm",
                   (p, p, p, p, "*fp32", "*fp32", "i32", "i32", "fp32"),
                   {"BLOCK": 1024})
    for block in (128, 65536):
        yield Case(f"softmax_f32_block{block}", "rows.softmax",
                   ("*fp32", "*fp32", "i32", "i32", "i32"), {"BLOCK": block})
    yield Case("rms_norm_bf16", "rows.rms_norm",
               ("*bf16", "*bf16", "*bf16", "i32", "i32", "fp32"),
               {"BLOCK": 1024})
    for operation, source, result in (
            ("sum", "fp32", "fp32"), ("sum", "i32", "i32"),
            ("sum", "fp16", "fp32"), ("product", "fp32", "fp32"),
            ("xor", "i32", "i32"), ("max", "fp32", "fp32"),
            ("max", "i32", "i32"), ("min", "fp32", "fp32"),
            ("argmax", "fp32", "i32"), ("argmin", "fp32", "i32"),
            ("argmax", "i32", "i32")):
        yield Case(f"{operation}_{source}", "rows.reduce_row",
                   ("*" + source, "*" + result, "i32"),
                   {"OPERATION": operation, "BLOCK": 512})
    for axis in (0, 1):
        yield Case(f"sum_axis{axis}_f32", "rows.reduce_block",
                   ("*fp32", "*fp32", "i32", "i32"),
                   {"AXIS": axis, "BLOCK_ROWS": 16, "BLOCK_COLUMNS": 128})
    yield Case("softmax_block_f32", "rows.softmax_block",
               ("*fp32", "*fp32", "i32", "i32"),
               {"BLOCK_ROWS": 8, "BLOCK_COLUMNS": 64})


def _matmul(name, a, c, block, leaky=False, unit_strides=True,
            b_strides=None):
    a, c = "*" + a, "*" + c
    unit = 1 if unit_strides else "i32"
    return Case(name, "blocks.matmul",
                (a, a, c, "i32", "i32", "i32", "i32", unit,
                 *(b_strides or ("i32", unit)), "i32", unit),
                {"LEAKY": leaky, "BLOCK_M": block[0], "BLOCK_N": block[1],
                 "BLOCK_K": block[2], "GROUP_M": 8})


def _blocks():
    block = {"BLOCK_ROWS": 16, "BLOCK_COLUMNS": 32}
    yield Case("outer_add_f32", "blocks.outer_add",
               ("*fp32", "*fp32", "*fp32", "i32", "i32"), block)
    yield Case("transpose_f32", "blocks.transpose",
               ("*fp32", "*fp32", "i32", "i32"), block)
    yield Case("total_f32", "blocks.total", ("*fp32", "*fp32", "i32"),
               {"BLOCK": 256})
    yield Case("recurrence_f32", "blocks.recurrence",
               ("*fp32", "*fp32", "i32", "fp32"), {"BLOCK": 64})
    usual = (64, 64, 32)
    yield _matmul("matmul_f32", "fp32", "fp32", usual)
    yield _matmul("matmul_f16", "fp16", "fp16", usual)
    yield _matmul("matmul_bf16", "bf16", "fp32", usual)
    yield _matmul("matmul_i8", "i8", "i32", usual)
    yield _matmul("matmul_f8e5m2", "fp8e5", "fp16", usual)
    yield _matmul("matmul_f32_leaky", "fp32", "fp32", usual, leaky=True)
    yield _matmul("matmul_f32_strided", "fp32", "fp32", usual,
                  unit_strides=False)
    yield _matmul("transposed_matmul_f32", "fp32", "fp32", usual,
                  b_strides=(1, "i32"))
    yield _matmul("matmul_f32_block32x32x32", "fp32", "fp32", (32, 32, 32))
    yield _matmul("matmul_f32_block128x128x32", "fp32", "fp32",
                  (128, 128, 32))
    yield _matmul("matmul_f32_block16x128x64", "fp32", "fp32", (16, 128, 64))


CASES = (*_elementwise(), *_rows(), *_blocks())

VERSIONS = ("3.3.1", "3.4.0", "3.5.1", "3.6.0", "3.7.1", "3.8.0", "3.9.0")
_WHOLE_VERSIONS = ("3.3.1", "3.6.0", "3.9.0")
_CORE = ("add_", "softmax_", "layer_norm_", "matmul_", "nothing")


def cases_of(version):
    """The cases that are printed by this version of Triton."""
    return [case for case in CASES
            if version in _WHOLE_VERSIONS or case.name.startswith(_CORE)]
