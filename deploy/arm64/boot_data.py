#!/usr/bin/python3
# Writes arrays for the boot test into a folder: x, y and the empty z of a
# vector add, and the sum that it must find in z.
import sys
from pathlib import Path

import numpy

folder = Path(sys.argv[1])
random = numpy.random.default_rng(1)
x, y = (random.standard_normal(3000, dtype=numpy.float32) for _ in range(2))
for name, values in [("x", x), ("y", y), ("z", numpy.zeros_like(x)),
                     ("sum", x + y)]:
    numpy.save(folder / f"{name}.npy", values)
