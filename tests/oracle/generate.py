# Random kernels: what hazards, carried tensors and index maps can go wrong in.
#
# All numbers are i32, so that results are exact. Addresses of one access are
# all different; accesses overlap each other as they like.
import random

_ROWS, _COLUMNS = 16, 64

# Kinds of values: two lengths of vectors, a matrix both ways, scalars.
SHAPES = {"a": (_ROWS,), "b": (_COLUMNS,), "m": (_ROWS, _COLUMNS),
          "t": (_COLUMNS, _ROWS), "s": ()}
_KINDS = "aabbmmtts"
_BINARY = ("addi", "subi", "muli", "xori", "maxsi", "minsi", "andi")


def tensor(shape, elem="i32"):
    if not shape:
        return elem
    return f"tensor<{'x'.join(map(str, shape))}x{elem}>"


class Generator:
    """Writes one kernel. `env` maps kinds to the names of their values."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = 0
        self.lines = []
        self.indent = "    "

    def kernel(self):
        env = {kind: [] for kind in SHAPES}
        env["s"] += ["%n", "%trips"]
        for kind in "abmt":
            env[kind] += [self.index(kind),
                          self.op(f"tt.load {self.address(kind)} : "
                                  f"{tensor(SHAPES[kind], '!tt.ptr<i32>')}")]
        for _ in range(self.random.randint(3, 25)):
            self.step(env, 0)
        for kind in "abmt":
            self.store(kind, env[kind][-1])
        return ("module {\n  tt.func public @k(%x: !tt.ptr<i32>, "
                "%y: !tt.ptr<i32>, %z: !tt.ptr<i32>, %n: i32, %trips: i32, "
                "%stride: i32) attributes {noinline = false} {\n"
                + "\n".join(self.lines) + "\n    tt.return\n  }\n}\n")

    # ---- Writing ----

    def name(self):
        self.count += 1
        return f"%v{self.count}"

    def emit(self, line):
        self.lines.append(self.indent + line)

    def op(self, text):
        name = self.name()
        self.emit(f"{name} = {text}")
        return name

    def constant(self, value):
        return self.op(f"arith.constant {value} : i32")

    def splat(self, scalar, shape):
        return self.op(f"tt.splat {scalar} : i32 -> {tensor(shape)}")

    def pick(self, env, kind):
        return self.random.choice(env[kind][-6:])

    # ---- Addresses and masks ----

    def line(self, shape, axis):
        """The index along `axis`, one long along the other."""
        size = shape[axis]
        index = self.op(f"tt.make_range {{end = {size} : i32, start = 0 : i32}}"
                        f" : {tensor((size,))}")
        if len(shape) == 1:
            return index, (size,)
        thin = (size, 1) if axis == 0 else (1, size)
        return self.op(f"tt.expand_dims {index} {{axis = {1 - axis} : i32}} : "
                       f"{tensor((size,))} -> {tensor(thin)}"), thin

    def index(self, kind):
        shape = SHAPES[kind]
        if len(shape) == 1:
            index, _ = self.line(shape, 0)
            stride = self.random.choice((1, 1, 1, 2, 3))
            if stride == 1:
                return index
            return self.op(f"arith.muli {index}, "
                           f"{self.splat(self.constant(stride), shape)} : "
                           f"{tensor(shape)}")
        # Row-major or column-major; the stride is a constant or not.
        slow = self.random.choice((0, 0, 1))
        parts = []
        for axis in range(2):
            index, thin = self.line(shape, axis)
            if axis == slow:
                stride = self.constant(shape[1 - axis]) \
                    if self.random.random() < 0.7 else "%stride"
                index = self.op(f"arith.muli {index}, "
                                f"{self.splat(stride, thin)} : {tensor(thin)}")
            parts.append(self.op(f"tt.broadcast {index} : {tensor(thin)} -> "
                                 f"{tensor(shape)}"))
        return self.op(f"arith.addi {parts[0]}, {parts[1]} : {tensor(shape)}")

    def address(self, kind):
        base = self.random.choice(("%x", "%y", "%z"))
        shift = self.random.choice((0, 0, 0, 1, 16, 64, 100))
        shape = SHAPES[kind]
        pointers = tensor(shape, "!tt.ptr<i32>")
        if not shape:
            return self.op(f"tt.addptr {base}, {self.constant(shift)} : "
                           f"{pointers}, i32")
        start = self.op(f"tt.splat {base} : !tt.ptr<i32> -> {pointers}")
        index = self.index(kind)
        if shift:
            index = self.op(f"arith.addi {index}, "
                            f"{self.splat(self.constant(shift), shape)} : "
                            f"{tensor(shape)}")
        return self.op(f"tt.addptr {start}, {index} : {pointers}, "
                       f"{tensor(shape)}")

    def mask(self, kind, env):
        shape = SHAPES[kind]
        if shape and self.random.random() < 0.6:
            axis = self.random.randrange(len(shape))
            index, thin = self.line(shape, axis)
            limit = self.random.choice(
                ("%n", self.constant(self.random.choice((0, 5, 16, 40)))))
            bits = self.op(
                f"arith.cmpi {self.random.choice(('slt', 'sle', 'sge', 'ult'))}"
                f", {index}, {self.splat(limit, thin)} : {tensor(thin)}")
            if thin == shape:
                return bits
            return self.op(f"tt.broadcast {bits} : {tensor(thin, 'i1')} -> "
                           f"{tensor(shape, 'i1')}")
        predicate = self.random.choice(("slt", "ne", "ugt"))
        return self.op(f"arith.cmpi {predicate}, {self.pick(env, kind)}, "
                       f"{self.pick(env, kind)} : {tensor(shape)}")

    # ---- Steps ----

    def step(self, env, depth):
        kind = self.random.choice(_KINDS)
        steps = [(30, self.binary), (6, self.select), (14, self.load),
                 (12, self.store_some), (10, self.reduce), (8, self.spread),
                 (8, self.transpose), (4, self.scan)]
        if depth < 2:
            steps += [(7, self.loop), (5, self.condition)]
        chosen = self.random.choices([s for _, s in steps],
                                     [w for w, _ in steps])[0]
        chosen(env, kind, depth)

    def binary(self, env, kind, _):
        env[kind].append(self.op(
            f"arith.{self.random.choice(_BINARY)} {self.pick(env, kind)}, "
            f"{self.pick(env, kind)} : {tensor(SHAPES[kind])}"))

    def select(self, env, kind, _):
        shape = SHAPES[kind]
        types = f"{tensor(shape, 'i1')}, {tensor(shape)}" if shape else "i32"
        env[kind].append(self.op(
            f"arith.select {self.mask(kind, env)}, {self.pick(env, kind)}, "
            f"{self.pick(env, kind)} : {types}"))

    def load(self, env, kind, _):
        pointer = self.address(kind)
        pointers = tensor(SHAPES[kind], "!tt.ptr<i32>")
        masked = ""
        if self.random.random() < 0.5:
            masked = f", {self.mask(kind, env)}, {self.pick(env, kind)}"
        env[kind].append(self.op(f"tt.load {pointer}{masked} : {pointers}"))
        if self.random.random() < 0.3:  # In place.
            value = self.op(f"arith.addi {env[kind][-1]}, "
                            f"{self.pick(env, kind)} : {tensor(SHAPES[kind])}")
            self.emit(f"tt.store {pointer}, {value} : {pointers}")

    def store(self, kind, value, masked=""):
        self.emit(f"tt.store {self.address(kind)}, {value}{masked} : "
                  f"{tensor(SHAPES[kind], '!tt.ptr<i32>')}")

    def store_some(self, env, kind, _):
        masked = f", {self.mask(kind, env)}" if self.random.random() < 0.5 \
            else ""
        self.store(kind, self.pick(env, kind), masked)

    def along(self, operation, source, kind, attributes, result):
        """A reduction or scan of `source`; returns its value."""
        value, a, b, c = (self.name() for _ in range(4))
        combine = self.random.choice(("addi", "maxsi", "xori", "minsi"))
        self.emit(f'{value} = "tt.{operation}"({source}) <{{{attributes}}}> '
                  "({")
        self.emit(f"^bb0({a}: i32, {b}: i32):")
        self.emit(f"  {c} = arith.{combine} {a}, {b} : i32")
        self.emit(f"  tt.{operation}.return {c} : i32")
        self.emit(f"}}) : ({tensor(SHAPES[kind])}) -> {tensor(result)}")
        return value

    def reduce(self, env, *_):
        kind = self.random.choice("abmt")
        shape = list(SHAPES[kind])
        axis = self.random.randrange(len(shape))
        rest = tuple(shape[:axis] + shape[axis + 1:])
        value = self.along("reduce", self.pick(env, kind), kind,
                           f"axis = {axis} : i32", rest)
        env[next(k for k, s in SHAPES.items() if s == rest)].append(value)

    def scan(self, env, _, depth):
        kind = self.random.choice("abmt")
        if self.random.random() < 0.5:
            self.load(env, kind, depth)
        axis = self.random.randrange(len(SHAPES[kind]))
        reverse = self.random.choice(("false", "true"))
        env[kind].append(self.along(
            "scan", self.random.choice(env[kind][-2:]), kind,
            f"axis = {axis} : i32, reverse = {reverse}", SHAPES[kind]))

    def spread(self, env, *_):
        kind = self.random.choice("abs")
        if kind == "s":
            to = self.random.choice("abmt")
            env[to].append(self.splat(self.pick(env, "s"), SHAPES[to]))
            return
        to = self.random.choice("mt")
        size, shape = SHAPES[kind][0], SHAPES[to]
        thin = (size, 1) if shape[0] == size else (1, size)
        value = self.op(f"tt.expand_dims {self.pick(env, kind)} "
                        f"{{axis = {int(thin[1] == 1)} : i32}} : "
                        f"{tensor(SHAPES[kind])} -> {tensor(thin)}")
        env[to].append(self.op(f"tt.broadcast {value} : {tensor(thin)} -> "
                               f"{tensor(shape)}"))

    def transpose(self, env, *_):
        source, to = self.random.choice((("m", "t"), ("t", "m")))
        types = f"{tensor(SHAPES[source])} -> {tensor(SHAPES[to])}"
        value = self.pick(env, source)
        if self.random.random() < 0.6:
            text = f"tt.trans {value} {{order = array<i32: 1, 0>}} : {types}"
        else:
            text = f"tt.reshape {value} : {types}"
        env[to].append(self.op(text))

    # ---- Control flow ----

    def nested(self, env, steps, depth):
        inner = {kind: list(values) for kind, values in env.items()}
        for _ in range(steps):
            self.step(inner, depth + 1)
        return inner

    def yields(self, values, kinds):
        if kinds:
            types = ", ".join(tensor(SHAPES[k]) for k in kinds)
            self.emit(f"scf.yield {', '.join(values)} : {types}")

    def loop(self, env, _, depth):
        kinds = [self.random.choice("abmts")
                 for _ in range(self.random.randint(0, 3))]
        inits = [self.pick(env, k) for k in kinds]
        bounds = [self.constant(0), self.random.choice(
            ("%trips", self.constant(2))), self.constant(1)]
        carried = [self.name() for _ in kinds]
        index, result = self.name(), self.name()
        head = f"scf.for {index} = {bounds[0]} to {bounds[1]} step {bounds[2]} "
        if kinds:
            pairs = ", ".join(f"{a} = {i}" for a, i in zip(carried, inits))
            types = ", ".join(tensor(SHAPES[k]) for k in kinds)
            head = f"{result}:{len(kinds)} = {head}iter_args({pairs}) -> " \
                   f"({types}) "
        self.emit(head + " : i32 {")
        self.indent += "  "
        inner = {kind: list(values) for kind, values in env.items()}
        inner["s"].append(index)
        for kind, name in zip(kinds, carried):
            inner[kind] += [name, name]
        inner = self.nested(inner, self.random.randint(1, 6), depth)
        same = {k: [n for kk, n in zip(kinds, carried) if kk == k]
                for k in kinds}
        self.yields([self.random.choice(inner[k][-4:] + same[k])
                     for k in kinds], kinds)
        self.indent = self.indent[:-2]
        self.emit("}")
        for i, kind in enumerate(kinds):
            env[kind].append(f"{result}#{i}")

    def condition(self, env, _, depth):
        kinds = [self.random.choice("abmts")
                 for _ in range(self.random.randint(0, 2))]
        result = self.name()
        test = self.op(f"arith.cmpi slt, {self.pick(env, 's')}, "
                       f"{self.pick(env, 's')} : i32")
        head = f"scf.if {test} "
        if kinds:
            types = ", ".join(tensor(SHAPES[k]) for k in kinds)
            head = f"{result}:{len(kinds)} = {head}-> ({types}) "
        self.emit(head + "{")
        for end in ("} else {", "}"):
            self.indent += "  "
            inner = self.nested(env, self.random.randint(1, 4), depth)
            self.yields([self.pick(inner, k) for k in kinds], kinds)
            self.indent = self.indent[:-2]
            self.emit(end)
        for i, kind in enumerate(kinds):
            env[kind].append(f"{result}#{i}")
