# A launch of a kernel and what it must do, independent of how it is run.
from dataclasses import dataclass, field

import numpy as np

import formats


@dataclass
class Buffer:
    """A pointer argument. `want` is what it must hold afterwards; without it
    the buffer must stay as it is."""
    type: str
    values: np.ndarray
    want: np.ndarray = None
    relative: float = 0.0
    absolute: float = 0.0
    stored: np.ndarray = None

    def __post_init__(self):
        self.stored = formats.encode(self.type, self.values)
        self.values = formats.decode(self.type, self.stored)

    def mismatch(self, stored):
        if self.want is None:
            return None if np.array_equal(
                stored.view(np.uint8), self.stored.view(np.uint8)
            ) else "it is read only, but changed"
        return formats.mismatch(self.type, formats.decode(self.type, stored),
                                self.want.ravel(), self.relative,
                                self.absolute)


@dataclass
class Scalar:
    type: str
    value: float

    def bits(self):
        raw = formats.encode(self.type, np.array([self.value])).tobytes()
        return int.from_bytes(raw, "little")


@dataclass
class Launch:
    name: str
    arguments: list
    grid: tuple = (1, 1, 1)


def blank(type_, count):
    """An output's bytes before the launch: 7s, which are no result."""
    return np.full(count, 7, np.float64 if formats.is_float(type_)
                   else np.int64)


def partly(type_, count, places, values):
    """What an output of `count` must hold: `values` at `places`, 7s beside."""
    want = formats.decode(type_, formats.encode(type_, blank(type_, count)))
    want[places] = values
    return want
