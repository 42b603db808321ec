#!/usr/bin/python3
# Bad input gets the code that the proto documents, with line and column.
import unittest

import harness
from harness import KERNELS, SystemTest, kernel_text

LINE_AND_COLUMN = r": (\d+):(\d+): "


class BadInputTest(SystemTest):
    def refused(self, code, text, *words):
        error = self.daemon.error(
            "compile", self.daemon.write("bad.ttir", text), *words)
        self.assertIn(f"quern: {code}: ", error)
        return error

    def refused_at(self, code, line, text, *words):
        error = self.refused(code, text, *words)
        found = harness.re_search(LINE_AND_COLUMN, error)
        self.assertEqual(int(found.group(1)), line, error)
        return error

    def test_what_is_no_ir(self):
        self.refused_at("INVALID_ARGUMENT", 1, "this is no IR\n")
        self.refused("INVALID_ARGUMENT", "")
        self.refused("INVALID_ARGUMENT", b"\xff\xfe\x00\x00binary")
        self.refused("INVALID_ARGUMENT", "module {")

    def test_what_does_not_verify(self):
        self.refused_at("INVALID_ARGUMENT", 4, """module {
  tt.func public @f(%p: !tt.ptr<f32>) {
    %a = arith.constant dense<0.0> : tensor<8xf32>
    %b = arith.addf %a, %a : tensor<16xf32>
    tt.return
  }
}
""")

    def test_an_operation_that_nobody_knows(self):
        error = self.refused_at("UNIMPLEMENTED", 3, """module {
  tt.func public @f(%p: !tt.ptr<f32>) {
    tt.grind %p : !tt.ptr<f32>
    tt.return
  }
}
""")
        self.assertIn("tt.grind", error)

    def test_an_operation_that_is_not_supported(self):
        error = self.refused_at("UNIMPLEMENTED", 4, """module {
  tt.func public @f(%p: !tt.ptr<i32>) {
    %a = tt.load %p : !tt.ptr<i32>
    %b = tt.elementwise_inline_asm "mov.u32 $0, $1;" {constraints = "=r,r", packed_element = 1 : i32, pure = true} %a : i32 -> i32
    tt.store %p, %b : !tt.ptr<i32>
    tt.return
  }
}
""")
        self.assertIn("tt.elementwise_inline_asm", error)

    def test_an_entry_that_is_not_there(self):
        self.refused("INVALID_ARGUMENT", kernel_text("nothing"), "--entry",
                     "something")

    def test_a_cpu_that_nobody_knows(self):
        for target in ("x86_64-unknown-linux-gnu:pentium99",
                       "z80-unknown-linux-gnu:z80",
                       "x86_64-unknown-linux-gnu:znver4:+teleport"):
            self.refused("INVALID_ARGUMENT", kernel_text("nothing"),
                         "--target", target)

    def test_a_source_at_the_limit_and_one_past(self):
        text = kernel_text("nothing")
        limit = 16 << 20
        padded = "//" + "x" * (limit - len(text) - 3) + "\n" + text
        self.assertEqual(len(padded), limit)
        path = self.daemon.write("large.ttir", padded)
        self.assertFalse(self.daemon.json("compile", path)["cached"])
        self.refused("INVALID_ARGUMENT", "/" + padded)

    def with_arguments(self, count):
        arguments = ", ".join(f"%a{i}: i32" for i in range(count))
        return ("module {\n  tt.func public @f(" + arguments +
                ") {\n    tt.return\n  }\n}\n")

    def test_arguments_at_the_limit_and_one_past(self):
        path = self.daemon.write("many.ttir", self.with_arguments(128))
        self.assertFalse(self.daemon.json("compile", path)["cached"])
        self.refused("INVALID_ARGUMENT", self.with_arguments(129))

    def nested(self, depth):
        head = """module {
  tt.func public @f(%p: !tt.ptr<f32>) {
    %c0 = arith.constant 0 : i32
    %c1 = arith.constant 1 : i32
"""
        loops = "".join(f"scf.for %i{i} = %c0 to %c1 step %c1 : i32 {{\n"
                        for i in range(depth))
        return head + loops + "}\n" * depth + "tt.return\n}\n}\n"

    def test_nesting_past_the_limit_is_refused_before_it_is_parsed(self):
        self.refused("INVALID_ARGUMENT", self.nested(257))
        self.refused("INVALID_ARGUMENT", "(" * 1_000_000)
        self.refused("INVALID_ARGUMENT", "module {" * 300)

    def test_nesting_at_the_limit_has_a_defined_outcome(self):
        done = self.daemon.quern(
            "compile", self.daemon.write("deep.ttir", self.nested(250)),
            check=False)
        if done.returncode != 0:
            self.assertRegex(done.stderr, "UNIMPLEMENTED|RESOURCE_EXHAUSTED")

    def test_the_daemon_serves_on_after_all_of_it(self):
        for text in ("", "module {", "\0" * 1000, "tt.func" * 10000):
            self.refused("INVALID_ARGUMENT", text)
        self.assertFalse(
            self.daemon.json("compile", KERNELS / "add_f32.ttir")["cached"])


if __name__ == "__main__":
    harness.main()
