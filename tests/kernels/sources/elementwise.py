# Kernels that treat every element alone.
import triton
import triton.language as tl


@triton.jit
def add(x_ptr, y_ptr, out_ptr, count, BLOCK: tl.constexpr):
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = index < count
    x = tl.load(x_ptr + index, mask=inside)
    y = tl.load(y_ptr + index, mask=inside)
    tl.store(out_ptr + index, x + y, mask=inside)


@triton.jit
def cast(x_ptr, out_ptr, count, BLOCK: tl.constexpr):
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = index < count
    x = tl.load(x_ptr + index, mask=inside)
    tl.store(out_ptr + index, x.to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def unary(x_ptr, out_ptr, count, FUNCTION: tl.constexpr, BLOCK: tl.constexpr):
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = index < count
    x = tl.load(x_ptr + index, mask=inside)
    if FUNCTION == "exp":
        y = tl.exp(x)
    elif FUNCTION == "exp2":
        y = tl.exp2(x)
    elif FUNCTION == "log":
        y = tl.log(x)
    elif FUNCTION == "log2":
        y = tl.log2(x)
    elif FUNCTION == "sin":
        y = tl.sin(x)
    elif FUNCTION == "cos":
        y = tl.cos(x)
    elif FUNCTION == "sqrt":
        y = tl.sqrt(x)
    elif FUNCTION == "rsqrt":
        y = tl.rsqrt(x)
    elif FUNCTION == "erf":
        y = tl.erf(x)
    elif FUNCTION == "floor":
        y = tl.floor(x)
    elif FUNCTION == "ceil":
        y = tl.ceil(x)
    elif FUNCTION == "abs":
        y = tl.abs(x)
    elif FUNCTION == "sigmoid":
        y = tl.sigmoid(x)
    else:
        y = 0.5 * x * (1.0 + tl.erf(x * 0.7071067811865476))
    tl.store(out_ptr + index, y, mask=inside)


@triton.jit
def integers(x_ptr, y_ptr, out_ptr, count, OPERATION: tl.constexpr,
             BLOCK: tl.constexpr):
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = index < count
    x = tl.load(x_ptr + index, mask=inside, other=1)
    y = tl.load(y_ptr + index, mask=inside, other=1)
    if OPERATION == "divide":
        z = x // y
    elif OPERATION == "remainder":
        z = x % y
    elif OPERATION == "shift":
        z = (x << (y & 7)) ^ (x >> (y & 15))
    elif OPERATION == "bits":
        z = ((x & y) | 5) ^ ~y
    else:
        z = tl.minimum(x, y) * 3 - tl.maximum(x, y)
    tl.store(out_ptr + index, z, mask=inside)


@triton.jit
def choose(x_ptr, y_ptr, out_ptr, count, BLOCK: tl.constexpr):
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = index < count
    x = tl.load(x_ptr + index, mask=inside, other=float("-inf"))
    y = tl.load(y_ptr + index, mask=inside, other=0.0)
    z = tl.where((x > y) & (index % 3 != 0), x - y, tl.minimum(x, 2.0 * y))
    tl.store(out_ptr + index, z, mask=inside)


# out = alpha x + y, with every scalar type that is passed by value.
@triton.jit
def scale_add(x_ptr, y_ptr, out_ptr, alpha, count, BLOCK: tl.constexpr):
    index = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = index < count
    x = tl.load(x_ptr + index, mask=inside)
    y = tl.load(y_ptr + index, mask=inside)
    tl.store(out_ptr + index, alpha * x + y, mask=inside)


# Rows of a table chosen by an index tensor.
@triton.jit
def embed(table_ptr, row_ptr, out_ptr, columns, BLOCK: tl.constexpr):
    program = tl.program_id(0)
    row = tl.load(row_ptr + program)
    for start in range(0, columns, BLOCK):
        column = start + tl.arange(0, BLOCK)
        inside = column < columns
        x = tl.load(table_ptr + row * columns + column, mask=inside)
        tl.store(out_ptr + program * columns + column, x, mask=inside)


@triton.jit
def gather(x_ptr, index_ptr, out_ptr, count, BLOCK: tl.constexpr):
    place = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    index = tl.load(index_ptr + place, mask=inside, other=0)
    x = tl.load(x_ptr + index, mask=inside & (index >= 0), other=-1.0)
    tl.store(out_ptr + place, x, mask=inside)


# Writes its grid and its place in it.
@triton.jit
def places(out_ptr):
    x = tl.program_id(0)
    y = tl.program_id(1)
    z = tl.program_id(2)
    line = x + tl.num_programs(0) * (y + tl.num_programs(1) * z)
    tl.store(out_ptr + line, 10000 * x + 100 * y + z)


@triton.jit
def nothing(x_ptr):
    pass
