// RUN: quern-opt --print-plan %s | FileCheck %s

// The product is cheap enough to be computed again in the group that needs the
// sum; nothing goes to a buffer.
// CHECK-LABEL: plan @cheap scratch 0
// CHECK:       reduce
// CHECK:       store
tt.func public @cheap(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) {
  %range = tt.make_range {end = 256 : i32, start = 0 : i32} : tensor<256xi32>
  %0 = tt.splat %x : !tt.ptr<f32> -> tensor<256x!tt.ptr<f32>>
  %1 = tt.addptr %0, %range : tensor<256x!tt.ptr<f32>>, tensor<256xi32>
  %2 = tt.load %1 : tensor<256x!tt.ptr<f32>>
  %3 = arith.mulf %2, %2 : tensor<256xf32>
  %4 = "tt.reduce"(%3) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %9 = arith.addf %a, %b : f32
    tt.reduce.return %9 : f32
  }) : (tensor<256xf32>) -> f32
  %5 = tt.splat %4 : f32 -> tensor<256xf32>
  %6 = arith.subf %3, %5 : tensor<256xf32>
  %7 = tt.splat %y : !tt.ptr<f32> -> tensor<256x!tt.ptr<f32>>
  %8 = tt.addptr %7, %range : tensor<256x!tt.ptr<f32>>, tensor<256xi32>
  tt.store %8, %6 : tensor<256x!tt.ptr<f32>>
  tt.return
}
