// RUN: quern-opt --print-plan %s | FileCheck %s

// A pointer that moves by one number is that number; a sum that is only
// reduced afterwards stays in registers; two tensors that trade places need a
// temporary for neither, since a tile reads both before it writes.
// CHECK:       scf.for step 0 accumulator 0 buffer [[A:.*]] buffer [[B:.*]]
// CHECK-NEXT:    group 64x
// CHECK-NEXT:      accumulate 0
// CHECK-NEXT:      materialise {{.*}} -> buffer [[A]]
// CHECK-NEXT:      materialise {{.*}} -> buffer [[B]]
// CHECK:       finish
tt.func public @carries(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zero = arith.constant dense<0.0> : tensor<64xf32>
  %one = arith.constant dense<1.0> : tensor<64xf32>
  %step = arith.constant dense<64> : tensor<64xi32>
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %0 = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %1 = tt.addptr %0, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %2:4 = scf.for %i = %c0 to %n step %c1 iter_args(%p = %1, %sum = %zero, %a = %zero, %b = %one) -> (tensor<64x!tt.ptr<f32>>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) : i32 {
    %v = tt.load %p : tensor<64x!tt.ptr<f32>>
    %next = arith.addf %sum, %v : tensor<64xf32>
    %q = tt.addptr %p, %step : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
    scf.yield %q, %next, %b, %a : tensor<64x!tt.ptr<f32>>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>
  }
  %3 = "tt.reduce"(%2#1) <{axis = 0 : i32}> ({
  ^bb0(%l: f32, %r: f32):
    %8 = arith.addf %l, %r : f32
    tt.reduce.return %8 : f32
  }) : (tensor<64xf32>) -> f32
  %4 = tt.splat %3 : f32 -> tensor<64xf32>
  %5 = arith.addf %4, %2#2 : tensor<64xf32>
  %6 = tt.splat %y : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %7 = tt.addptr %6, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  tt.store %7, %5 : tensor<64x!tt.ptr<f32>>
  tt.return
}
