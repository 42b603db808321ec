# Loads, stores, atomics and descriptors of the oracle.
import re

import numpy as np

from arithmetic import bits_of, from_bits
from triton_ir import Value, dtype_of, make, parse_type, split_types


def element_bytes(elem):
    if elem.startswith("!tt.ptr"):
        return 8
    return max(int(re.match(r"[a-z]+(\d+)", elem).group(1)) // 8, 1)


def pointee(elem):
    return re.match(r"!tt\.ptr<(.*?)(?:, \d+)?>$", elem).group(1)


class Descriptor:
    """A tensor in memory that is read and written by blocks."""

    def __init__(self, base, shape, strides, block, pads_nan):
        self.base, self.shape, self.strides = base, shape, strides
        self.block, self.pads_nan = block, pads_nan

    def places(self, first, elem):
        """Addresses of a block's elements, and which are inside."""
        size = element_bytes(elem)
        address = np.full(self.block, self.base, np.int64)
        inside = np.ones(self.block, bool)
        for i, n in enumerate(self.block):
            line = [1] * len(self.block)
            line[i] = n
            index = (first[i] + np.arange(n, dtype=np.int64)).reshape(line)
            address = address + index * self.strides[i] * size
            inside = inside & (index >= 0) & (index < self.shape[i])
        return address, inside


class MemoryOperations:
    """The part of the interpreter that touches `self.memory`."""

    def read(self, addresses, elem):
        rows = self.memory.read(addresses, element_bytes(elem))
        return from_bits(rows, elem)

    def do_tt_load(self, op, env):
        head, _ = split_types(op.rest)
        args = self.operands(head.split("{")[0], env)
        pointer = args[0]
        elem = pointee(pointer.elem)
        shape = np.shape(pointer.data)
        where = np.ones(shape, bool) if len(args) < 2 else args[1].data
        other = args[2].data if len(args) > 2 else np.zeros((), dtype_of(elem))
        result = np.broadcast_to(other, shape).astype(dtype_of(elem)).reshape(-1)
        flat = np.asarray(where).reshape(-1)
        result[flat] = self.read(np.asarray(pointer.data).reshape(-1)[flat], elem)
        env[op.results[0]] = Value(result.reshape(shape), elem)

    def write(self, pointer, value, where):
        flat = np.broadcast_to(where, np.shape(pointer)).reshape(-1)
        rows = bits_of(value)
        self.memory.write(np.asarray(pointer).reshape(-1)[flat], rows[flat])

    def do_tt_store(self, op, env):
        head, _ = split_types(op.rest)
        args = self.operands(head.split("{")[0], env)
        where = args[2].data if len(args) > 2 else True
        self.write(args[0].data, args[1], where)

    def do_tt_atomic_rmw(self, op, env):
        head, _ = split_types(op.rest)
        kind = head.split(",")[0].strip()
        args = self.operands(head, env)
        elem = pointee(args[0].elem)
        shape = np.shape(args[0].data)
        pointers = np.asarray(args[0].data).reshape(-1)
        values = np.asarray(args[1].data).reshape(-1)
        masks = np.broadcast_to(args[2].data if len(args) > 2 else True,
                                shape).reshape(-1)
        old = np.zeros(len(pointers), dtype_of(elem))
        for i in np.nonzero(masks)[0]:
            before = self.read(pointers[i:i + 1], elem)
            old[i] = before[0]
            after = atomic(kind, before, values[i:i + 1])
            self.memory.write(pointers[i:i + 1], bits_of(make(after, elem)))
        env[op.results[0]] = Value(old.reshape(shape), elem)

    def do_tt_atomic_cas(self, op, env):
        args = self.operands(split_types(op.rest)[0], env)
        elem = pointee(args[0].elem)
        shape = np.shape(args[0].data)
        flat = [np.asarray(a.data).reshape(-1) for a in args]
        old = np.zeros(len(flat[0]), dtype_of(elem))
        for i in range(len(flat[0])):
            before = self.read(flat[0][i:i + 1], elem)
            old[i] = before[0]
            if before[0] == flat[1][i]:
                self.memory.write(flat[0][i:i + 1],
                                  bits_of(make(flat[2][i:i + 1], elem)))
        env[op.results[0]] = Value(old.reshape(shape), elem)

    def do_tt_make_tensor_descriptor(self, op, env):
        head, types = split_types(op.rest)
        args = self.operands(head, env)
        rank = (len(args) - 1) // 2
        body = re.search(r", <(.*)>$", types).group(1)
        body = re.sub(r"^tensor<(.*)>$", r"\1", body)
        block, _ = parse_type(f"tensor<{body}>")
        env[op.results[0]] = Descriptor(
            int(args[0].data), [int(a.data) for a in args[1:1 + rank]],
            [int(a.data) for a in args[1 + rank:]], block,
            "padding = 2" in head)

    def do_tt_descriptor_load(self, op, env):
        head, types = split_types(op.rest)
        desc, *indices = self.operands(head, env)
        shape, elem = parse_type(types.split("->")[-1])
        places, inside = desc.places([int(i.data) for i in indices], elem)
        result = np.full(places.size, np.nan if desc.pads_nan else 0,
                         dtype_of(elem))
        flat = inside.reshape(-1)
        result[flat] = self.read(places.reshape(-1)[flat], elem)
        env[op.results[0]] = Value(result.reshape(shape), elem)

    def do_tt_descriptor_store(self, op, env):
        desc, *rest = self.operands(split_types(op.rest)[0], env)
        value = rest[-1]
        places, inside = desc.places([int(i.data) for i in rest[:-1]],
                                     value.elem)
        self.write(places, value, inside)

    do_tt_experimental_descriptor_load = do_tt_descriptor_load
    do_tt_experimental_descriptor_store = do_tt_descriptor_store


def atomic(kind, old, value):
    if kind in ("add", "fadd"):
        return old + value
    if kind in ("and", "or", "xor") and old.dtype.kind == "f":
        # Of floats it is the bits that are combined.
        bits = f"i{old.dtype.itemsize}"
        return atomic(kind, old.view(bits),
                      value.astype(old.dtype).view(bits)).view(old.dtype)
    unsigned = old.dtype.str.replace("i", "u")
    if kind in ("umax", "umin"):
        pick = np.maximum if kind == "umax" else np.minimum
        return pick(old.view(unsigned), value.astype(old.dtype).view(
            unsigned)).view(old.dtype)
    return {"max": np.maximum, "min": np.minimum, "and": lambda a, b: a & b,
            "or": lambda a, b: a | b, "xor": lambda a, b: a ^ b,
            "exch": lambda a, b: b}[kind](old, value)
