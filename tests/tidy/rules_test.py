#!/usr/bin/env python3
# The tidy test's own test: each rule finds a planted breach, and leaves alone
# what is right.
import unittest

import tidy_test as tidy


class RulesTest(unittest.TestCase):
    def found(self, path, text):
        return "\n".join(tidy.check_source(path, text))

    def test_a_layer_that_reaches_up_is_found(self):
        text = '// Bad.\n#include "compiler/api/compiler.h"\n'
        self.assertIn("cache/bad.cc:2: cache may not include",
                      self.found("cache/bad.cc", text))
        self.assertEqual("", self.found("server/core/good.cc", text))

    def test_forbidden_calls_are_found_in_code_only(self):
        self.assertIn("getenv", self.found("cache/x.cc",
                                           "// X.\nint y = getenv(z);\n"))
        self.assertEqual("", self.found("cache/x.cc", "// No getenv here.\n"))
        self.assertEqual("", self.found("cache/x.cc",
                                        '// X.\nauto y = "getenv";\n'))

    def test_a_file_without_a_first_comment_is_found(self):
        self.assertIn("begin with a comment",
                      self.found("cache/x.cc", "int x;\n"))

    def test_functions_are_measured(self):
        body = "  x();\n" * 69
        long = "// X.\nvoid F() {\n" + body + "}\n"
        self.assertIn("a function of 71 lines", self.found("cache/x.cc", long))
        short = "// X.\nvoid F() {\n" + body[7:] + "}\n"
        self.assertEqual("", self.found("cache/x.cc", short))

    def test_long_files_and_marks_are_found(self):
        self.assertEqual([], list(tidy.check_lines("a.cc", "x\n" * 400)))
        self.assertIn("401 lines",
                      "".join(tidy.check_lines("a.cc", "x\n" * 401)))
        mark = "TO" + "DO"
        self.assertTrue(list(tidy.check_lines("a.md", f"{mark}: more\n")))

    def test_a_lit_test_that_checks_nothing_is_found(self):
        self.assertTrue(list(tidy.check_lit("t.mlir", "// RUN: quern-opt %s")))
        self.assertFalse(list(tidy.check_lit(
            "t.mlir", "// RUN: quern-opt %s \\\n// RUN:   | FileCheck %s")))

    def test_an_empty_description_is_found(self):
        self.assertTrue(list(tidy.check_tablegen(
            "a.td", "let description = [{ }];")))


if __name__ == "__main__":
    unittest.main()
