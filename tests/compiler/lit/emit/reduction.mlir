// RUN: quern-opt --print-llvm %s | FileCheck %s

// A sum has four vectors of partial sums, to hide its latency, and ends in
// halves. Its neutral element is -0.
// CHECK-COUNT-4: phi <16 x float> [ <float -0.000000e+00
// CHECK-COUNT-4: fadd contract <16 x float>
// CHECK:         fadd contract <8 x float>
// CHECK:         fadd contract <4 x float>
// CHECK:         fadd contract <2 x float>
// CHECK:         store float
tt.func public @sums(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) {
  %range = tt.make_range {end = 1024 : i32, start = 0 : i32} : tensor<1024xi32>
  %0 = tt.splat %x : !tt.ptr<f32> -> tensor<1024x!tt.ptr<f32>>
  %1 = tt.addptr %0, %range : tensor<1024x!tt.ptr<f32>>, tensor<1024xi32>
  %2 = tt.load %1 : tensor<1024x!tt.ptr<f32>>
  %3 = "tt.reduce"(%2) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %4 = arith.addf %a, %b : f32
    tt.reduce.return %4 : f32
  }) : (tensor<1024xf32>) -> f32
  tt.store %y, %3 : !tt.ptr<f32>
  tt.return
}
