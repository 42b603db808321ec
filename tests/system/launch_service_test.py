#!/usr/bin/python3
# LaunchService with the real grpcurl: tensors in messages, run by an executor.
import base64
import json
import time

import numpy as np

import harness
from harness import KERNELS, SystemTest, begin, cpu_ticks, wait_until
from served import executors

ADD = KERNELS / "add_f32.ttir"

# Stores its scalars, so that what came of them can be looked at.
SCALARS = """module {
  tt.func public @scalars(%out: !tt.ptr<f64>, %a: i8, %b: f16, %c: f64) {
    %zero = arith.constant 0 : i32
    %one = arith.constant 1 : i32
    %two = arith.constant 2 : i32
    %x = arith.sitofp %a : i8 to f64
    %y = arith.extf %b : f16 to f64
    tt.store %out, %x : !tt.ptr<f64>
    %p = tt.addptr %out, %one : !tt.ptr<f64>, i32
    tt.store %p, %y : !tt.ptr<f64>
    %q = tt.addptr %out, %two : !tt.ptr<f64>, i32
    tt.store %q, %c : !tt.ptr<f64>
    tt.return
  }
}
"""

WILD = """module {
  tt.func public @wild(%out: !tt.ptr<f32>, %distance: i64) {
    %one = arith.constant 1.0 : f32
    %p = tt.addptr %out, %distance : !tt.ptr<f32>, i64
    tt.store %p, %one : !tt.ptr<f32>
    tt.return
  }
}
"""

# Counts as long as the number in memory is not 1.
ENDLESS = """module {
  tt.func public @endless(%out: !tt.ptr<i32>) {
    %one = arith.constant 1 : i32
    scf.while (%i = %one) : (i32) -> i32 {
      %seen = tt.load %out {isVolatile = true} : !tt.ptr<i32>
      %go = arith.cmpi ne, %seen, %one : i32
      scf.condition(%go) %i : i32
    } do {
    ^bb0(%i: i32):
      %next = arith.addi %i, %one : i32
      scf.yield %next : i32
    }
    tt.return
  }
}
"""


def encoded(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


class LaunchingTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.path = harness.path_with_grpcurl(self.daemon.folder)

    def key_of(self, source):
        if not hasattr(source, "suffix"):
            source = self.daemon.write("kernel.ttir", source)
        return base64.b64encode(bytes.fromhex(
            self.daemon.json("compile", source)["key"])).decode()

    def start(self, key, arguments, grid=None):
        request = json.dumps({"key": key, "grid": grid or {},
                              "arguments": arguments})
        process = begin(
            self, "grpcurl", "-plaintext", "-unix", "-max-msg-sz", 64 << 20,
            "-d", "@", self.daemon.rpc, "quern.v1.LaunchService/Launch",
            env={"PATH": self.path})
        process.stdin.write(request)
        process.stdin.close()
        process.stdin = None
        return process

    def launch(self, *words, **more):
        process = self.start(*words, **more)
        out, err = process.communicate(timeout=harness.SLOW)
        self.assertEqual(process.returncode, 0, err)
        return json.loads(out)

    def refused(self, code, *words, **more):
        process = self.start(*words, **more)
        out, err = process.communicate(timeout=harness.SLOW)
        self.assertIn(f"Code: {code}\n", err, out[:200])
        return err

    def add(self, key, n):
        x = np.arange(n, dtype=np.float32)
        y = np.full(n, 0.5, np.float32)
        answer = self.launch(key, [
            {"tensor": {"data": encoded(x)}}, {"tensor": {"data": encoded(y)}},
            {"tensor": {"size_bytes": 4 * n, "returned": True}},
            {"integer": n}], grid={"x": -(-n // 1024) or 1})
        out = np.frombuffer(base64.b64decode(answer["tensors"][0]), np.float32)
        np.testing.assert_array_equal(out, x + y)
        self.assertIn("run_duration", answer)


class LaunchServiceTest(LaunchingTest):
    def test_values_come_back(self):
        key = self.key_of(ADD)
        for n in (1, 1023, 1024, 1025, 5000):
            self.add(key, n)
        self.assertEqual(self.daemon.stats()["children_dead"]["crashed"], 0)

    def test_numbers_are_put_into_the_types_of_the_arguments(self):
        key = self.key_of(SCALARS)
        for a, seen in ((-128, -128), (255, -1)):
            answer = self.launch(key, [
                {"tensor": {"size_bytes": 24, "returned": True}},
                {"integer": a}, {"real": 0.1}, {"integer": 7}])
            out = np.frombuffer(base64.b64decode(answer["tensors"][0]))
            self.assertEqual(out.tolist(), [seen, float(np.float16(0.1)), 7.0])

    def test_what_makes_no_sense_is_refused_by_name(self):
        key = self.key_of(SCALARS)
        tensor, ok = {"tensor": {"size_bytes": 24}}, {"integer": 1}
        real = {"real": 1.5}
        for code, arguments, part in (
                ("InvalidArgument", [tensor, ok, real], "4 arguments"),
                ("InvalidArgument", [ok, ok, real, real], "argument 0"),
                ("InvalidArgument", [tensor, real, real, real], "argument 1"),
                ("InvalidArgument", [tensor, {"integer": 256}, real, real],
                 "argument 1"),
                ("InvalidArgument", [tensor, ok, tensor, real], "argument 2"),
                ("InvalidArgument", [tensor, ok, real, {}], "argument 3")):
            self.assertIn(part, self.refused(code, key, arguments))
        self.refused("NotFound", base64.b64encode(bytes(32)).decode(), [])
        self.refused("InvalidArgument", "AAAA", [])

    def test_as_many_bytes_as_may_be_and_one_more(self):
        key = self.key_of(SCALARS)
        rest = [{"integer": 1}, {"real": 1}, {"real": 1}]
        most = 16 << 20
        self.launch(key, [{"tensor": {"size_bytes": most}}, *rest])
        self.refused("ResourceExhausted", key,
                     [{"tensor": {"size_bytes": most + 1}}, *rest])

    def test_a_kernel_that_crashes_ends_its_own_launch(self):
        wild, add = self.key_of(WILD), self.key_of(ADD)
        self.add(add, 10)
        far = [{"tensor": {"size_bytes": 4}}, {"integer": 1 << 45}]
        error = self.refused("Aborted", wild, far)
        self.assertIn("crashed", error)
        self.add(add, 10)
        self.assertNotIn(str(self.daemon.folder), error)
        stats = self.daemon.stats()
        self.assertEqual(stats["executors"]["crashed"], 1)
        self.assertEqual(stats["executors"]["started"], 2)
        self.assertEqual(stats["inline_launches"],
                         {"launches": 3, "failures": 1, "queued": 0})


class TimeLimitTest(LaunchingTest):
    LIMITS = "launch_timeout { seconds: 2 }"

    def test_a_kernel_that_never_ends_is_ended(self):
        key = self.key_of(ENDLESS)
        started = time.monotonic()
        self.refused("DeadlineExceeded", key, [{"tensor": {"size_bytes": 4}}])
        self.assertGreater(time.monotonic() - started, 1.9)
        self.add(self.key_of(ADD), 10)


class EndlessTest(LaunchingTest):
    # Longer than anybody waits here: no launch ends by its time.
    LIMITS = "launch_timeout { seconds: 3600 }"
    REST = "drain_timeout { seconds: 1 }"

    def endless(self):
        """The process of a call whose kernel runs and does not end."""
        process = self.start(self.key_of(ENDLESS),
                             [{"tensor": {"size_bytes": 4}}])
        pid = wait_until(lambda: executors(self.daemon), "an executor")[0]
        used = cpu_ticks(pid)
        wait_until(lambda: cpu_ticks(pid) > used + 5, "the kernel runs")
        return process

    def test_a_caller_that_leaves_takes_its_launch_along(self):
        self.endless().kill()
        wait_until(lambda: not executors(self.daemon), "the executor's end")

    def test_the_end_of_the_daemon_does_not_wait_for_an_endless_kernel(self):
        process = self.endless()
        self.assertEqual(self.daemon.stop(), 0)
        self.assertNotEqual(process.wait(harness.SLOW), 0)


if __name__ == "__main__":
    harness.main()
