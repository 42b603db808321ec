# Kernels over two-dimensional blocks, and over loops.
import triton
import triton.language as tl


@triton.jit
def outer_add(x_ptr, y_ptr, out_ptr, rows, columns,
              BLOCK_ROWS: tl.constexpr, BLOCK_COLUMNS: tl.constexpr):
    row = tl.program_id(0) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    column = tl.program_id(1) * BLOCK_COLUMNS + tl.arange(0, BLOCK_COLUMNS)
    x = tl.load(x_ptr + row, mask=row < rows, other=0.0)
    y = tl.load(y_ptr + column, mask=column < columns, other=0.0)
    inside = (row[:, None] < rows) & (column[None, :] < columns)
    tl.store(out_ptr + row[:, None] * columns + column[None, :],
             x[:, None] + 2.0 * y[None, :], mask=inside)


@triton.jit
def transpose(x_ptr, out_ptr, rows, columns, BLOCK_ROWS: tl.constexpr,
              BLOCK_COLUMNS: tl.constexpr):
    row = tl.program_id(0) * BLOCK_ROWS + tl.arange(0, BLOCK_ROWS)
    column = tl.program_id(1) * BLOCK_COLUMNS + tl.arange(0, BLOCK_COLUMNS)
    inside = (row[:, None] < rows) & (column[None, :] < columns)
    x = tl.load(x_ptr + row[:, None] * columns + column[None, :], mask=inside)
    tl.store(out_ptr + column[:, None] * rows + row[None, :], tl.trans(x),
             mask=(column[:, None] < columns) & (row[None, :] < rows))


# The sum of all elements, block by block, in one program.
@triton.jit
def total(x_ptr, out_ptr, count, BLOCK: tl.constexpr):
    sums = tl.zeros([BLOCK], dtype=tl.float32)
    for start in range(0, count, BLOCK):
        index = start + tl.arange(0, BLOCK)
        sums += tl.load(x_ptr + index, mask=index < count, other=0.0)
    tl.store(out_ptr, tl.sum(sums, axis=0))


# A scalar carried through a loop: the mean of squares of a row, step by step.
@triton.jit
def recurrence(x_ptr, out_ptr, steps, decay, BLOCK: tl.constexpr):
    lane = tl.arange(0, BLOCK)
    state = tl.zeros([BLOCK], dtype=tl.float32)
    weight = 1.0
    for step in range(steps):
        state = decay * state + tl.load(x_ptr + step * BLOCK + lane) * weight
        weight = weight * 0.5
    tl.store(out_ptr + lane, state)


@triton.jit
def matmul(a_ptr, b_ptr, c_ptr, M, N, K, a_stride_m, a_stride_k, b_stride_k,
           b_stride_n, c_stride_m, c_stride_n, LEAKY: tl.constexpr,
           BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
           BLOCK_K: tl.constexpr, GROUP_M: tl.constexpr):
    program = tl.program_id(0)
    programs_m = tl.cdiv(M, BLOCK_M)
    programs_n = tl.cdiv(N, BLOCK_N)
    in_group = GROUP_M * programs_n
    first_m = program // in_group * GROUP_M
    group_m = min(programs_m - first_m, GROUP_M)
    program_m = first_m + program % in_group % group_m
    program_n = program % in_group // group_m
    m = program_m * BLOCK_M + tl.arange(0, BLOCK_M)
    n = program_n * BLOCK_N + tl.arange(0, BLOCK_N)
    k = tl.arange(0, BLOCK_K)
    a_place = a_ptr + ((m % M)[:, None] * a_stride_m + k[None, :] * a_stride_k)
    b_place = b_ptr + (k[:, None] * b_stride_k + (n % N)[None, :] * b_stride_n)
    if a_ptr.dtype.element_ty == tl.int8:
        sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.int32)
    else:
        sums = tl.zeros((BLOCK_M, BLOCK_N), dtype=tl.float32)
    for step in range(0, tl.cdiv(K, BLOCK_K)):
        left = K - step * BLOCK_K
        a = tl.load(a_place, mask=k[None, :] < left, other=0.0)
        b = tl.load(b_place, mask=k[:, None] < left, other=0.0)
        sums = tl.dot(a, b, sums, out_dtype=sums.dtype)
        a_place += BLOCK_K * a_stride_k
        b_place += BLOCK_K * b_stride_k
    if LEAKY:
        sums = tl.where(sums >= 0, sums, 0.01 * sums)
    c = sums.to(c_ptr.dtype.element_ty)
    c_place = c_ptr + m[:, None] * c_stride_m + n[None, :] * c_stride_n
    tl.store(c_place, c, mask=(m[:, None] < M) & (n[None, :] < N))
