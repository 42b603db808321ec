# Memory as the oracle sees it: buffers at the addresses that the kernel gets.
import numpy as np


class OutOfBounds(Exception):
    """The kernel touched memory that it was not given."""


class Memory:
    """Buffers of bytes at given addresses."""

    def __init__(self):
        self.buffers = []

    def add(self, address, data):
        """`data` is a uint8 array; it is written in place."""
        self.buffers.append((address, data))

    def _find(self, addresses, size):
        left = np.ones(len(addresses), bool)
        for base, data in self.buffers:
            inside = left & (addresses >= base) & \
                (addresses + size <= base + len(data))
            if inside.any():
                yield base, data, inside
                left &= ~inside
                if not left.any():
                    return
        if left.any():
            raise OutOfBounds(hex(int(addresses[left][0])))

    def read(self, addresses, size):
        """One row of `size` bytes for each address."""
        addresses = np.asarray(addresses, np.int64).reshape(-1)
        result = np.zeros((len(addresses), size), np.uint8)
        if not len(addresses):
            return result
        for base, data, where in self._find(addresses, size):
            at = (addresses[where] - base)[:, None] + np.arange(size)
            result[where] = data[at]
        return result

    def write(self, addresses, rows):
        addresses = np.asarray(addresses, np.int64).reshape(-1)
        size = rows.shape[1]
        if not len(addresses):
            return
        for base, data, where in self._find(addresses, size):
            at = (addresses[where] - base)[:, None] + np.arange(size)
            data[at] = rows[where]
