# A slow interpreter of Triton IR text, for one program at a time.
#
# It shares nothing with the compiler: it reads the text line by line and
# computes whole tensors with NumPy. Floats narrower than f32 are kept in
# float32 arrays and rounded after each operation; pointers are int64.
import re

import numpy as np

import formats

_INTS = {"i1": np.bool_, "i8": np.int8, "i16": np.int16, "i32": np.int32,
         "i64": np.int64, "index": np.int64}


class Unsupported(Exception):
    """The interpreter does not know the operation."""


class Value:
    """A scalar (shape ()) or tensor, and the name of its element type."""

    def __init__(self, data, elem):
        self.data, self.elem = data, elem


def dtype_of(elem):
    if elem.startswith("!tt.ptr"):
        return np.int64
    if elem in _INTS:
        return _INTS[elem]
    return np.float64 if elem == "f64" else np.float32


def make(data, elem):
    """Stores `data` as elements of type `elem`, rounded if they are narrow."""
    with np.errstate(all="ignore"):
        data = np.asarray(data)
        if elem in formats.NARROW:
            data = formats.round_to(data.astype(np.float32)
                                    if data.dtype != np.float64 else data, elem)
        return Value(data.astype(dtype_of(elem)), elem)


def parse_type(text):
    """`tensor<4x8xf32>` -> ((4, 8), "f32"); `f32` -> ((), "f32")."""
    text = text.strip()
    if not text.startswith("tensor<"):
        return (), text
    body, shape = text[7:-1], []
    while (m := re.match(r"(\d+)x", body)):
        shape.append(int(m.group(1)))
        body = body[m.end():]
    return tuple(shape), body


def split_top(text, separator=","):
    """Splits at separators outside brackets."""
    parts, depth, last = [], 0, 0
    for i, c in enumerate(text):
        if c in "<([{":
            depth += 1
        elif c in ")]}" or (c == ">" and text[i - 1] != "-"):
            depth -= 1
        elif c == separator and depth == 0:
            parts.append(text[last:i])
            last = i + 1
    parts.append(text[last:])
    return [p.strip() for p in parts if p.strip()]


def split_types(text):
    """(operands, types): at the first colon outside brackets and strings."""
    depth, quoted = 0, False
    for i, c in enumerate(text):
        if c == '"':
            quoted = not quoted
        if quoted:
            continue
        if c in "<([{":
            depth += 1
        elif c in ")]}" or (c == ">" and text[i - 1] != "-"):
            depth -= 1
        elif c == ":" and depth == 0:
            return text[:i], text[i + 1:].strip()
    return text, ""


class Op:
    """One operation: result names, its name, the rest of its line, regions."""

    def __init__(self, results, name, rest):
        self.results, self.name, self.rest = results, name, rest
        self.regions = []
        self.operands = []
        self.line = ""


class Block:
    def __init__(self, label, args):
        self.label, self.args, self.ops = label, args, []


_LINE = re.compile(r'^(?:(%[\w$.#-]+(?::\d+)?(?:, %[\w$.#-]+(?::\d+)?)*) = )?'
                   r'"?([\w.]+)"?(.*)$')


def _names(text):
    names = []
    for part in split_top(text or ""):
        name, _, count = part.partition(":")
        if count:
            names += [f"{name}#{i}" for i in range(int(count))]
            names.append(None)  # Marks a group.
        else:
            names.append(name)
    return [n for n in names if n]


class Parser:
    """Text -> functions: name -> (arguments [(name, type)], blocks)."""

    def __init__(self, text):
        text = re.sub(r" loc\((?:#\w+|unknown)\)", "", text)
        text = re.sub(r' loc\("[^"]*"\(#\w+\)\)', "", text)
        self.lines = [l.strip() for l in text.splitlines()]
        self.lines = [l for l in self.lines if l and not l.startswith("#")]
        self.at = 0
        self.functions = {}
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            m = re.match(r"tt\.func (?:public |private )?@([\w.$]+|\"[^\"]*\")\((.*)\)"
                         r"(?: -> .*)? attributes", line)
            if m:
                args = []
                for arg in split_top(m.group(2)):
                    name, _, kind = arg.partition(": ")
                    args.append((name, kind.split(" {")[0].strip()))
                self.functions[m.group(1)] = (args, self._region())

    def _region(self):
        """Blocks up to the line that closes the region; that line is eaten."""
        blocks = [Block(None, [])]
        while True:
            line = self.lines[self.at]
            self.at += 1
            if line.startswith("}"):
                self.close = line
                return blocks
            m = re.match(r"\^(\w+)(?:\((.*)\))?:", line)
            if m:
                args = [a.partition(":")[0].strip()
                        for a in split_top(m.group(2) or "")]
                if blocks == [blocks[0]] and not blocks[0].ops:
                    blocks = []
                blocks.append(Block(m.group(1), args))
                continue
            blocks[-1].ops.append(self._op(line))

    def _op(self, line):
        m = _LINE.match(line)
        op = Op(_names(m.group(1)), m.group(2), m.group(3))
        op.line = line
        if line.endswith("{"):
            op.rest = op.rest[:-1]
            op.regions.append(self._region())
            while self.close.startswith(("} else {", "} do {")):
                op.regions.append(self._region())
            tail = re.sub(r"^\}\)?", "", self.close)
            # An attribute dictionary of a loop, or the types of a generic op.
            op.rest += " " + tail if tail.strip().startswith((":", "{")) else ""
        return op
