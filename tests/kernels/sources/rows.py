# Kernels in which one program works on one row, or on a block of rows.
import triton
import triton.language as tl


@triton.jit
def softmax(x_ptr, out_ptr, x_stride, out_stride, columns,
            BLOCK: tl.constexpr):
    row = tl.program_id(0)
    column = tl.arange(0, BLOCK)
    inside = column < columns
    x = tl.load(x_ptr + row * x_stride + column, mask=inside,
                other=float("-inf")).to(tl.float32)
    e = tl.exp(x - tl.max(x, axis=0))
    y = e / tl.sum(e, axis=0)
    tl.store(out_ptr + row * out_stride + column,
             y.to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def layer_norm(x_ptr, out_ptr, weight_ptr, bias_ptr, mean_ptr, rstd_ptr,
               stride, columns, epsilon, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    x_ptr += row * stride
    out_ptr += row * stride
    sums = tl.zeros([BLOCK], dtype=tl.float32)
    for start in range(0, columns, BLOCK):
        column = start + tl.arange(0, BLOCK)
        sums += tl.load(x_ptr + column, mask=column < columns,
                        other=0.0).to(tl.float32)
    mean = tl.sum(sums, axis=0) / columns
    squares = tl.zeros([BLOCK], dtype=tl.float32)
    for start in range(0, columns, BLOCK):
        column = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + column, mask=column < columns,
                    other=0.0).to(tl.float32)
        x = tl.where(column < columns, x - mean, 0.0)
        squares += x * x
    rstd = 1 / tl.sqrt(tl.sum(squares, axis=0) / columns + epsilon)
    tl.store(mean_ptr + row, mean)
    tl.store(rstd_ptr + row, rstd)
    for start in range(0, columns, BLOCK):
        column = start + tl.arange(0, BLOCK)
        inside = column < columns
        weight = tl.load(weight_ptr + column, mask=inside).to(tl.float32)
        bias = tl.load(bias_ptr + column, mask=inside).to(tl.float32)
        x = tl.load(x_ptr + column, mask=inside, other=0.0).to(tl.float32)
        y = (x - mean) * rstd * weight + bias
        tl.store(out_ptr + column, y.to(out_ptr.dtype.element_ty),
                 mask=inside)


@triton.jit
def rms_norm(x_ptr, out_ptr, weight_ptr, stride, columns, epsilon,
             BLOCK: tl.constexpr):
    row = tl.program_id(0)
    column = tl.arange(0, BLOCK)
    inside = column < columns
    x = tl.load(x_ptr + row * stride + column, mask=inside,
                other=0.0).to(tl.float32)
    rstd = tl.rsqrt(tl.sum(x * x, axis=0) / columns + epsilon)
    weight = tl.load(weight_ptr + column, mask=inside).to(tl.float32)
    tl.store(out_ptr + row * stride + column,
             (x * rstd * weight).to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def _multiply(a, b):
    return a * b


# One result a row; `other` is chosen so that masked elements do not count.
@triton.jit
def reduce_row(x_ptr, out_ptr, columns, OPERATION: tl.constexpr,
               BLOCK: tl.constexpr):
    row = tl.program_id(0)
    column = tl.arange(0, BLOCK)
    inside = column < columns
    place = x_ptr + row * columns + column
    if OPERATION == "sum":
        y = tl.sum(tl.load(place, mask=inside, other=0), axis=0)
    elif OPERATION == "product":
        y = tl.reduce(tl.load(place, mask=inside, other=1), 0, _multiply)
    elif OPERATION == "xor":
        y = tl.xor_sum(tl.load(place, mask=inside, other=0), axis=0)
    elif OPERATION == "max":
        y = tl.max(tl.load(place, mask=inside, other=-100000), axis=0)
    elif OPERATION == "min":
        y = tl.min(tl.load(place, mask=inside, other=100000), axis=0)
    elif OPERATION == "argmax":
        y = tl.argmax(tl.load(place, mask=inside, other=-100000), axis=0)
    else:
        y = tl.argmin(tl.load(place, mask=inside, other=100000), axis=0)
    tl.store(out_ptr + row, y)


# A block of rows and columns at once, reduced along one axis of the two.
@triton.jit
def reduce_block(x_ptr, out_ptr, rows, columns, AXIS: tl.constexpr,
                 BLOCK_ROWS: tl.constexpr, BLOCK_COLUMNS: tl.constexpr):
    row = tl.program_id(0) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    column = tl.arange(0, BLOCK_COLUMNS)
    inside = (row[:, None] < rows) & (column[None, :] < columns)
    x = tl.load(x_ptr + row[:, None] * columns + column[None, :],
                mask=inside, other=0.0)
    y = tl.sum(x, axis=AXIS)
    if AXIS == 1:
        tl.store(out_ptr + row, y, mask=row < rows)
    else:
        tl.store(out_ptr + tl.program_id(0) * columns + column, y,
                 mask=column < columns)


@triton.jit
def softmax_block(x_ptr, out_ptr, rows, columns, BLOCK_ROWS: tl.constexpr,
                  BLOCK_COLUMNS: tl.constexpr):
    row = tl.program_id(0) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    column = tl.arange(0, BLOCK_COLUMNS)
    inside = (row[:, None] < rows) & (column[None, :] < columns)
    place = row[:, None] * columns + column[None, :]
    x = tl.load(x_ptr + place, mask=inside, other=-1e30)
    e = tl.exp(x - tl.max(x, axis=1)[:, None])
    tl.store(out_ptr + place, e / tl.sum(e, axis=1)[:, None], mask=inside)
