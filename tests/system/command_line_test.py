#!/usr/bin/python3
# The command line, from files to results, with the names of its JSON.
import subprocess
import unittest

import numpy as np

import harness
from harness import KERNELS, Daemon, SystemTest, program

ADD = KERNELS / "add_f32.ttir"


class CommandLineTest(SystemTest):
    def test_versions_are_printed(self):
        for name in ("quern", "quernd"):
            done = subprocess.run([program(name), "--version"],
                                  capture_output=True, text=True, check=True)
            self.assertRegex(done.stdout, rf"^{name} \d+\.\d+\.\d+\n$")

    def test_an_unknown_command_prints_the_usage(self):
        done = subprocess.run([program("quern"), "grind"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("usage: quern", done.stderr)

    def test_each_command_prints_its_usage(self):
        for name in ("compile", "run", "list", "stop"):
            done = self.daemon.quern(name, "--help")
            self.assertIn(f"  {name}", done.stdout)

    def test_output_that_cannot_be_written_is_an_error(self):
        for target in ("/dev/full", None):
            # Of no target: it is closed.
            redirect = f'exec "$@" >{target or "&-"}'
            done = subprocess.run(
                ["/bin/sh", "-c", redirect, "sh", program("quern"), "stats",
                 "--sockets", str(self.daemon.folder)],
                stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 1, target)
            self.assertIn("output cannot be written", done.stderr)

    def test_a_source_may_come_through_a_pipe_and_is_no_folder(self):
        done = subprocess.run(
            [program("quern"), "compile", "/dev/stdin", "--sockets",
             str(self.daemon.folder)],
            input=ADD.read_text(), capture_output=True, text=True)
        self.assertIn("compiled", done.stdout, done.stderr)
        self.assertIn("Is a directory",
                      self.daemon.error("compile", self.daemon.folder))

    def test_compile_prints_its_stable_names(self):
        cold = self.daemon.json("compile", ADD)
        for name in ("parse", "plan", "emit", "optimize", "generate", "link",
                     "publish", "total", "child_cpu"):
            self.assertGreater(cold[f"{name}_ms"], 0, name)
        self.assertRegex(cold["key"], "^[0-9a-f]{64}$")
        self.assertEqual(cold["name"], "add_kernel"
                         if "add_kernel" in ADD.read_text() else "add")
        self.assertFalse(cold["cached"])
        self.assertGreater(cold["ir_instructions"], 10)
        self.assertGreater(cold["image_bytes"], 512)
        self.assertIn("scratch_bytes", cold)
        warm = self.daemon.json("compile", ADD)
        self.assertTrue(warm["cached"])
        self.assertEqual(warm["key"], cold["key"])
        self.assertEqual(warm["image_bytes"], cold["image_bytes"])

    def test_run_writes_the_arrays_that_are_marked(self):
        self.check_run("--threads", 2)

    def test_a_served_run_writes_them_too(self):
        self.check_run("--served")
        self.assertIn("--threads is for direct",
                      self.daemon.error("run", ADD, "--grid", 1, "--served",
                                        "--threads", 2))

    def check_run(self, *options):
        folder = self.daemon.folder
        n = 2500
        x = np.random.default_rng(1).standard_normal(n).astype(np.float32)
        y = np.arange(n, dtype=np.float32)
        np.save(folder / "x.npy", x)
        np.save(folder / "y.npy", y)
        np.save(folder / "z.npy", np.zeros(n, np.float32))
        result = self.daemon.json(
            "run", ADD, "--grid", "3", "--arg", f"@{folder}/x.npy", "--arg",
            f"@{folder}/y.npy", "--arg", f"@{folder}/z.npy:out", "--arg", n,
            "--repeat", 3, *options)
        np.testing.assert_array_equal(np.load(folder / "z.npy"), x + y)
        np.testing.assert_array_equal(np.load(folder / "x.npy"), x)
        self.assertEqual(result["launches"], 3)
        self.assertGreater(result["launch_ns_min"], 0)

    def test_run_refuses_arguments_that_do_not_fit(self):
        self.assertIn("has 4 arguments, but 1 --arg",
                      self.daemon.error("run", ADD, "--grid", 1, "--arg", 1))
        self.assertIn("argument 0: a pointer needs @FILE.npy",
                      self.daemon.error("run", ADD, "--grid", 1,
                                        *["--arg", 1] * 4))
        self.assertIn("--grid is X",
                      self.daemon.error("run", ADD, "--grid", "1,2,3,4"))

    def test_list_show_and_evict_follow_a_kernel(self):
        key = self.daemon.json("compile", ADD)["key"]
        listed = self.daemon.json("list")["kernels"]
        self.assertEqual([kernel["key"] for kernel in listed], [key])
        self.assertEqual(self.daemon.json("show", key)["key"], key)
        self.assertEqual(
            self.daemon.json("show", key, "--emit", "source")["text"],
            ADD.read_text())
        self.assertIn("define", self.daemon.quern("show", key, "--emit",
                                                  "llvm").stdout)
        self.assertIn("ret", self.daemon.quern("show", key, "--emit",
                                               "asm").stdout)
        self.daemon.quern("evict", key)
        self.assertEqual(self.daemon.json("list")["kernels"], [])
        self.assertIn("NOT_FOUND", self.daemon.error("show", key))
        self.assertIn("NOT_FOUND", self.daemon.error("evict", key))
        self.assertFalse(self.daemon.json("compile", ADD)["cached"])

    def test_compile_emits_text_and_images(self):
        for what, found in (("asm", "ret"), ("llvm", "define"),
                            ("plan", "store")):
            self.assertIn(found, self.daemon.quern("compile", ADD, "--emit",
                                                   what).stdout, what)
            self.assertIn(found, self.daemon.json("compile", ADD, "--emit",
                                                  what)["text"], what)
        self.assertIn("--output needs --emit",
                      self.daemon.error("compile", ADD, "--output", "x"))
        image = self.daemon.folder / "add.image"
        self.daemon.quern("compile", ADD, "--emit", "image", "--output", image)
        self.assertEqual(image.read_bytes()[:8], b"QUERNIMG")

    def test_compile_makes_images_for_another_machine(self):
        image = self.daemon.folder / "arm.image"
        target = "aarch64-unknown-linux-gnu:neoverse-n1"
        compiled = self.daemon.json("compile", ADD, "--target", target,
                                    "--emit", "image", "--output", image)
        self.assertEqual(image.stat().st_size, compiled["image_bytes"])
        self.assertEqual(image.read_bytes()[32:36], b"\xb7\0\0\0")
        text = self.daemon.quern("compile", ADD, "--target", target, "--emit",
                                 "asm").stdout
        self.assertIn("ldp", text)
        self.assertNotEqual(compiled["key"],
                            self.daemon.json("compile", ADD)["key"])

    def test_stats_count_compiles_and_hits(self):
        self.daemon.json("compile", ADD)
        self.daemon.error("compile", self.daemon.write("bad.ttir", "bad"))
        stats = self.daemon.stats()
        self.assertEqual(stats["compiles"], 1)
        self.assertEqual(stats["failures"], 1)
        self.assertEqual(stats["kernels"], 1)
        self.assertEqual(stats["children_dead"]["crashed"], 0)
        self.assertGreaterEqual(stats["children_forked"], 2)
        self.assertEqual(stats["sandbox_missing"], [])
        self.assertRegex(stats["build_id"], "^[0-9a-f]{64}$")

    def test_bench_prints_its_stable_names(self):
        self.assertGreater(
            self.daemon.json("bench", "lookup", "--repeat", 2)
            ["lookup_ns_min"], 0)
        launch = self.daemon.json("bench", "launch", "--repeat", 2)
        self.assertGreater(launch["call_ns_min"], 0)
        self.assertGreater(launch["launch_ns_min"], 0)
        served = self.daemon.json("bench", "served", "--repeat", 2)
        for name in ("served_ns_min", "served_ns_p50",
                     "served_sleeping_ns_p50", "served_batched_ns_min"):
            self.assertGreater(served[name], 0)
        compiled = self.daemon.json("bench", "compile", "--repeat", 2)
        self.assertGreater(compiled["add_total_ms_min"], 0)

    def test_the_demo_is_right_in_both_processes(self):
        kernels = self.daemon.json("demo")["kernels"]
        self.assertEqual(len(kernels), 4)
        for kernel in kernels:
            self.assertTrue(kernel["right"], kernel)

    def test_doctor_finds_what_is_needed(self):
        report = self.daemon.json("doctor")
        self.assertTrue(report["works"], report)

    def test_stop_ends_the_daemon_in_order(self):
        self.daemon.quern("stop")
        self.assertEqual(self.daemon.process.wait(harness.SLOW), 0)
        self.assertIn("NOT_FOUND", self.daemon.error("stop"))


if __name__ == "__main__":
    harness.main()
