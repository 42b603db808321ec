// RUN: not quern-opt %s 2>&1 | FileCheck %s

// Lanes divide a tensor without rest because sizes are powers of two.
// CHECK: INVALID_ARGUMENT: 6:8: tensor<48xi32>: sizes must be powers of two
tt.func public @odd() {
  %0 = tt.make_range {end = 48 : i32, start = 0 : i32} : tensor<48xi32>
  tt.return
}
