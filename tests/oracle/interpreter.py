# Runs the programs of a launch one after another.
import re

import numpy as np

from arithmetic import ELEMENTWISE, from_bits
from memory_operations import MemoryOperations, element_bytes, pointee
from triton_ir import (Parser, Unsupported, Value, dtype_of, make, parse_type,
                       split_top, split_types)

_STEPS_MAX = 200_000


class AssertFailed(Exception):
    pass


class Interpreter(MemoryOperations):
    def __init__(self, text, memory):
        self.functions = Parser(text).functions
        self.memory = memory
        self.steps = 0
        self.steps_max = _STEPS_MAX

    def launch(self, name, args, grid):
        for z in range(grid[2]):
            for y in range(grid[1]):
                for x in range(grid[0]):
                    self.id, self.grid = (x, y, z), grid
                    self.call(name, args)

    def call(self, name, args):
        params, blocks = self.functions[name]
        env = {}
        for (param, kind), arg in zip(params, args):
            env[param] = arg if isinstance(arg, Value) else make(arg, kind)
        return self.run_blocks(blocks, env, None)

    def run_blocks(self, blocks, env, args):
        """Runs a region; returns the operands of the operation that ends it."""
        labels = {b.label: b for b in blocks}
        block = blocks[0]
        if args is not None:
            env.update(zip(block.args, args))
        while True:
            for op in block.ops:
                self.steps += 1
                if self.steps > self.steps_max:
                    raise Unsupported("runs too long")
                done = self.execute(op, env)
                if done is None:
                    continue
                kind, value = done
                if kind == "end":
                    return value
                label, values = value
                block = labels[label]
                env.update(zip(block.args, values))
                break
            else:
                return []  # The end of a region that yields nothing.

    # ---- Operands ----

    def operands(self, text, env):
        return [env[n] for n in re.findall(r"%[\w$.-]+(?:#\d+)?", text)]

    def execute(self, op, env):
        text = op.rest
        method = getattr(self, "do_" + op.name.replace(".", "_"), None)
        if method:
            return method(op, env)
        # The types come after the last colon outside brackets.
        head, types = split_types(text)
        args = self.operands(head, env)
        if op.name in ELEMENTWISE:
            value = ELEMENTWISE[op.name](op, head, args, types)
            env[op.results[0]] = value
            return None
        raise Unsupported(op.name)

    # ---- Constants, shapes ----

    def do_arith_constant(self, op, env):
        body = re.sub(r"^\s*\{.*?\}\s*", "", op.rest)
        m = re.match(r"\s*(?:dense<(.*?)>|([^:\s]+))(?: : (.*))?$", body)
        literal = m.group(1) or m.group(2)
        shape, elem = parse_type(m.group(3) or "i1")
        env[op.results[0]] = Value(
            np.full(shape, literal_value(literal, elem), dtype_of(elem)), elem)

    def do_ub_poison(self, op, env):
        shape, elem = parse_type(split_types(op.rest)[1])
        env[op.results[0]] = Value(np.zeros(shape, dtype_of(elem)), elem)

    def do_tt_get_program_id(self, op, env):
        axis = "xyz".index(op.rest.split()[0])
        env[op.results[0]] = Value(np.int32(self.id[axis]), "i32")

    def do_tt_get_num_programs(self, op, env):
        axis = "xyz".index(op.rest.split()[0])
        env[op.results[0]] = Value(np.int32(self.grid[axis]), "i32")

    def do_tt_make_range(self, op, env):
        end = int(re.search(r"end = (-?\d+)", op.rest).group(1))
        start = int(re.search(r"start = (-?\d+)", op.rest).group(1))
        env[op.results[0]] = Value(np.arange(start, end, dtype=np.int32), "i32")

    def _view(self, op, env, change):
        head, types = split_types(op.rest)
        shape, _ = parse_type(types.split("->")[-1])
        arg = self.operands(head, env)[0]
        env[op.results[0]] = Value(change(arg.data, shape), arg.elem)

    def do_tt_splat(self, op, env):
        self._view(op, env, lambda d, s: np.full(s, d, np.asarray(d).dtype))

    def do_tt_unsplat(self, op, env):
        self._view(op, env, lambda d, s: d.reshape(())[()])

    def do_tt_broadcast(self, op, env):
        self._view(op, env, lambda d, s: np.broadcast_to(d, s).copy())

    def do_tt_expand_dims(self, op, env):
        self._view(op, env, lambda d, s: d.reshape(s))

    def do_tt_reshape(self, op, env):
        self._view(op, env, lambda d, s: d.reshape(s))

    def do_tt_trans(self, op, env):
        order = [int(i) for i in
                 re.search(r"array<i32: ([\d, ]+)>", op.rest).group(1).split(",")]
        self._view(op, env, lambda d, s: d.transpose(order))

    def do_tt_join(self, op, env):
        a, b = self.operands(split_types(op.rest)[0], env)
        env[op.results[0]] = Value(np.stack([a.data, b.data], -1), a.elem)

    def do_tt_cat(self, op, env):
        a, b = self.operands(split_types(op.rest)[0], env)
        env[op.results[0]] = Value(np.concatenate([a.data, b.data]), a.elem)

    def do_tt_split(self, op, env):
        a = self.operands(split_types(op.rest)[0], env)[0]
        for i in range(2):
            env[op.results[i]] = Value(a.data[..., i], a.elem)

    def do_tt_gather(self, op, env):
        axis = int(re.search(r"axis = (\d+)", op.rest).group(1))
        a, i = self.operands(split_types(op.rest)[0], env)
        index = i.data.astype(np.int64) % a.data.shape[axis]
        env[op.results[0]] = Value(
            np.take_along_axis(a.data, index, axis), a.elem)

    # ---- Along an axis ----

    def combine(self, op, env, left, right):
        args = list(left) + list(right)
        return self.run_blocks(op.regions[0], dict(env), args)

    def do_tt_reduce(self, op, env):
        axis = int(re.search(r"axis = (\d+)", op.rest + op.line).group(1))
        args = self.operands(op.rest.split("<{")[0].split("({")[0], env)
        size = args[0].data.shape[axis]
        parts = [np.moveaxis(a.data, axis, 0) for a in args]
        # Halves are combined, as lanes would be: the order is left open.
        while size > 1:
            half = size // 2
            left = [Value(p[:half], a.elem) for p, a in zip(parts, args)]
            right = [Value(p[half:size], a.elem) for p, a in zip(parts, args)]
            parts = [v.data for v in self.combine(op, env, left, right)]
            size = half
        for i, (part, arg) in enumerate(zip(parts, args)):
            env[result_name(op, i)] = Value(part[0], arg.elem)

    def do_tt_scan(self, op, env):
        axis = int(re.search(r"axis = (\d+)", op.rest + op.line).group(1))
        reverse = "reverse = true" in op.line
        args = self.operands(op.rest.split("<{")[0].split("({")[0], env)
        parts = [np.moveaxis(a.data, axis, 0).copy() for a in args]
        if reverse:
            parts = [p[::-1].copy() for p in parts]
        for i in range(1, parts[0].shape[0]):
            left = [Value(p[i - 1], a.elem) for p, a in zip(parts, args)]
            right = [Value(p[i], a.elem) for p, a in zip(parts, args)]
            for p, v in zip(parts, self.combine(op, env, left, right)):
                p[i] = v.data
        for i, (p, arg) in enumerate(zip(parts, args)):
            p = p[::-1] if reverse else p
            env[result_name(op, i)] = Value(np.moveaxis(p, 0, axis), arg.elem)

    def do_tt_reduce_return(self, op, env):
        return "end", self.operands(split_types(op.rest)[0], env)

    do_tt_scan_return = do_tt_reduce_return

    def do_tt_histogram(self, op, env):
        head, types = split_types(op.rest)
        args = self.operands(head, env)
        (bins,), elem = parse_type(types.split("->")[-1])
        values = args[0].data
        if len(args) > 1:
            values = values[args[1].data]
        values = values[(values >= 0) & (values < bins)]
        env[op.results[0]] = make(np.bincount(values, minlength=bins), elem)

    def do_tt_dot(self, op, env):
        head, types = split_types(op.rest)
        a, b, c = self.operands(head, env)[:3]
        wide = np.int64 if c.elem.startswith("i") else np.float64
        product = np.matmul(a.data.astype(wide), b.data.astype(wide))
        env[op.results[0]] = make(product + c.data.astype(wide), c.elem)

    # ---- Control flow ----

    def do_scf_for(self, op, env):
        m = re.match(r"\s*(%\S+) = (%\S+) to (%\S+) step (%\S+)"
                     r"(?: iter_args\((.*?)\))?", op.rest)
        index, bounds = m.group(1), [env[m.group(i)] for i in (2, 3, 4)]
        pairs = [p.split(" = ") for p in split_top(m.group(5) or "")]
        values = [env[p[1]] for p in pairs]
        low, high, step = (int(b.data) for b in bounds)
        at = low
        while at < high:
            inner = dict(env)
            inner[index] = make(at, bounds[0].elem)
            inner.update(zip([p[0] for p in pairs], values))
            values = self.run_blocks(op.regions[0], inner, None)
            at += step
        self.set_results(op, env, values)

    def set_results(self, op, env, values):
        for i, value in enumerate(values or []):
            env[result_name(op, i)] = value

    def do_scf_yield(self, op, env):
        return "end", self.operands(split_types(op.rest)[0], env)

    def do_scf_if(self, op, env):
        condition = bool(self.operands(op.rest.split("->")[0], env)[0].data)
        values = []
        if condition:
            values = self.run_blocks(op.regions[0], dict(env), None)
        elif len(op.regions) > 1:
            values = self.run_blocks(op.regions[1], dict(env), None)
        self.set_results(op, env, values)

    def do_scf_while(self, op, env):
        m = re.match(r"\s*(?:\((.*?)\))? :", op.rest)
        pairs = [p.split(" = ") for p in split_top((m and m.group(1)) or "")]
        values = [env[p[1]] for p in pairs]
        while True:
            inner = dict(env)
            inner.update(zip([p[0] for p in pairs], values))
            go, values = self.run_blocks(op.regions[0], inner, None)
            if not go:
                break
            values = self.run_blocks(op.regions[1], dict(env), values)
        self.set_results(op, env, values)

    def do_scf_condition(self, op, env):
        args = self.operands(split_types(op.rest)[0], env)
        return "end", (bool(args[0].data), args[1:])

    def do_cf_br(self, op, env):
        return "branch", self.target(op.rest, env)

    def do_cf_cond_br(self, op, env):
        parts = split_top(op.rest)
        condition = bool(env[parts[0]].data)
        return "branch", self.target(parts[1 if condition else 2], env)

    def target(self, text, env):
        m = re.match(r"\s*\^(\w+)(?:\((.*)\))?", text)
        return m.group(1), self.operands((m.group(2) or "").split(" : ")[0], env)

    def do_tt_return(self, op, env):
        return "end", self.operands(split_types(op.rest)[0], env)

    def do_tt_call(self, op, env):
        m = re.match(r'\s*@([\w.$]+|"[^"]*")\((.*?)\)', op.rest)
        values = self.call(m.group(1), self.operands(m.group(2), env))
        self.set_results(op, env, values)

    # ---- Hints ----

    def do_llvm_intr_assume(self, op, env):
        return None

    do_gpu_barrier = do_ttg_barrier = do_llvm_intr_assume
    do_tt_grid_dependency_wait = do_llvm_intr_assume
    do_tt_grid_dependency_launch_dependents = do_llvm_intr_assume

    def do_tt_elementwise_inline_asm(self, op, env):
        if "griddepcontrol" not in op.rest:
            raise Unsupported("inline assembly")

    def do_tt_assert(self, op, env):
        if not np.all(self.operands(op.rest.split(",")[0], env)[0].data):
            raise AssertFailed(op.rest)


def result_name(op, i):
    """Group results are `%x#i`; listed results have names of their own."""
    return op.results[i]


def literal_value(text, elem):
    if elem == "i1":
        return text == "true"
    if elem.startswith("i"):
        bits = int(elem[1:]) if elem != "index" else 64
        value = int(text, 0)
        return value - (1 << bits) if value >= 1 << bits - 1 else value
    if text.startswith("0x"):
        code = int(text, 16)
        size = element_bytes(elem)
        row = np.frombuffer(code.to_bytes(size, "little"), np.uint8)
        return from_bits(row.reshape(1, size), elem)[0]
    return make(float(text), elem).data
