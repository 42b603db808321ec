#!/usr/bin/python3
# Valid IR that asks too much of the compiler: each compile ends by itself, is
# counted by its cause, and leaves the daemon as it was. (What a broken compiler
# does, tests/server/workers shows with a fake one.)
import unittest

import harness
from harness import KERNELS, SystemTest


def chain(length):
    """A kernel with one expression of `length` operations."""
    operations = "\n".join(
        f"    %v{i + 1} = arith.{'mulf' if i % 2 else 'addf'} %v{i}, %v{i} : "
        "tensor<128xf32>" for i in range(length))
    return f"""module {{
  tt.func public @chain(%p: !tt.ptr<f32>) {{
    %r = tt.make_range {{end = 128 : i32, start = 0 : i32}} : tensor<128xi32>
    %s = tt.splat %p : !tt.ptr<f32> -> tensor<128x!tt.ptr<f32>>
    %a = tt.addptr %s, %r : tensor<128x!tt.ptr<f32>>, tensor<128xi32>
    %v0 = tt.load %a : tensor<128x!tt.ptr<f32>>
{operations}
    tt.store %a, %v{length} : tensor<128x!tt.ptr<f32>>
    tt.return
  }}
}}
"""


class HostileIrTest(SystemTest):
    def refused(self, code, text):
        path = self.daemon.write("hostile.ttir", text)
        self.assertIn(f"quern: {code}: ", self.daemon.error("compile", path))

    def check_health(self, cause):
        dead = self.daemon.stats()["children_dead"]
        self.assertEqual({name: count for name, count in dead.items() if count},
                         {cause: 1})
        self.assertFalse(
            self.daemon.json("compile", KERNELS / "add_f32.ttir")["cached"])


class TimeTest(HostileIrTest):
    # Far more than the good compile takes, far less than the hostile one.
    LIMITS = "compile_timeout { seconds: 4 }"

    def test_a_compile_that_takes_too_long_is_ended(self):
        self.refused("DEADLINE_EXCEEDED", chain(200_000))
        self.check_health("timed_out")


class MemoryTest(HostileIrTest):
    LIMITS = "compile_memory_bytes_max: 50000000"

    def test_a_compile_that_needs_too_much_memory_is_ended(self):
        self.refused("RESOURCE_EXHAUSTED", chain(100_000))
        self.check_health("out_of_memory")


class SizeTest(HostileIrTest):
    LIMITS = "image_size_bytes_max: 16384"

    def test_an_image_that_is_too_large_is_refused(self):
        self.refused("RESOURCE_EXHAUSTED", chain(10_000))
        self.assertFalse(
            self.daemon.json("compile", KERNELS / "add_f32.ttir")["cached"])


class RecursionTest(HostileIrTest):
    def test_a_long_chain_of_operations_does_not_overflow_the_stack(self):
        path = self.daemon.write("chain.ttir", chain(20_000))
        self.assertFalse(self.daemon.json("compile", path)["cached"])


if __name__ == "__main__":
    harness.main()
