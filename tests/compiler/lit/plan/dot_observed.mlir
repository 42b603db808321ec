// RUN: quern-opt --print-plan %s | FileCheck %s

// A sum that something else reads in the loop stays a buffer that every
// iteration adds to.
// CHECK-LABEL: plan @observed
// CHECK-NOT:   chunk
tt.func public @observed(%a: !tt.ptr<f32>, %d: !tt.ptr<f32>, %steps: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zeros = arith.constant dense<0.000000e+00> : tensor<16x16xf32>
  %a_base = tt.splat %a : !tt.ptr<f32> -> tensor<16x16x!tt.ptr<f32>>
  %d_base = tt.splat %d : !tt.ptr<f32> -> tensor<16x16x!tt.ptr<f32>>
  %sum = scf.for %i = %c0 to %steps step %c1 iter_args(%acc = %zeros) -> (tensor<16x16xf32>) : i32 {
    %x = tt.load %a_base : tensor<16x16x!tt.ptr<f32>>
    %next = tt.dot %x, %x, %acc : tensor<16x16xf32> * tensor<16x16xf32> -> tensor<16x16xf32>
    tt.store %d_base, %next : tensor<16x16x!tt.ptr<f32>>
    scf.yield %next : tensor<16x16xf32>
  }
  tt.store %d_base, %sum : tensor<16x16x!tt.ptr<f32>>
  tt.return
}
