// RUN: quern-opt --print-plan %s | FileCheck %s

// A loop that writes comes back to a use of what was loaded before it: the
// load goes to a buffer, before the loop.
// CHECK:      group 64x
// CHECK-NEXT:   materialise
// CHECK:      scf.for
// CHECK:        store
tt.func public @adds(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %0 = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %1 = tt.addptr %0, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %2 = tt.load %1 : tensor<64x!tt.ptr<f32>>
  scf.for %i = %c0 to %n step %c1 : i32 {
    %3 = tt.addptr %y, %i : !tt.ptr<f32>, i32
    %4 = tt.splat %3 : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
    %5 = tt.addptr %4, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
    tt.store %5, %2 : tensor<64x!tt.ptr<f32>>
  }
  tt.return
}
