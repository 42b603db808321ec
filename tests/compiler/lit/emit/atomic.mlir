// RUN: quern-opt --print-llvm %s | FileCheck %s

// Atomics go lane by lane; one whose mask is off is jumped over.
// CHECK:     br i1
// CHECK:     atomicrmw fadd ptr %{{.*}}, float 1.000000e+00 monotonic
// CHECK-NOT: atomicrmw
tt.func public @counts(%x: !tt.ptr<f32>, %n: i32) {
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %0 = tt.splat %n : i32 -> tensor<64xi32>
  %mask = arith.cmpi ne, %range, %0 : tensor<64xi32>
  %one = arith.constant dense<1.0> : tensor<64xf32>
  %1 = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %2 = tt.addptr %1, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %3 = tt.atomic_rmw fadd, relaxed, gpu, %2, %one, %mask : (tensor<64x!tt.ptr<f32>>, tensor<64xf32>, tensor<64xi1>) -> tensor<64xf32>
  tt.return
}
