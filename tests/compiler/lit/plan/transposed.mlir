// RUN: quern-opt --print-plan %s | FileCheck %s

// Lanes run along the dimension that memory is contiguous along, here the
// first.
// CHECK: group 32x64x order [1, 0] vector 0 width 16
tt.func public @columns(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i32) {
  %r = tt.make_range {end = 32 : i32, start = 0 : i32} : tensor<32xi32>
  %c = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %0 = tt.expand_dims %r {axis = 1 : i32} : tensor<32xi32> -> tensor<32x1xi32>
  %1 = tt.expand_dims %c {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
  %2 = tt.splat %n : i32 -> tensor<1x64xi32>
  %3 = arith.muli %1, %2 : tensor<1x64xi32>
  %4 = tt.broadcast %0 : tensor<32x1xi32> -> tensor<32x64xi32>
  %5 = tt.broadcast %3 : tensor<1x64xi32> -> tensor<32x64xi32>
  %6 = arith.addi %4, %5 : tensor<32x64xi32>
  %7 = tt.splat %x : !tt.ptr<f32> -> tensor<32x64x!tt.ptr<f32>>
  %8 = tt.addptr %7, %6 : tensor<32x64x!tt.ptr<f32>>, tensor<32x64xi32>
  %9 = tt.load %8 : tensor<32x64x!tt.ptr<f32>>
  %10 = tt.splat %y : !tt.ptr<f32> -> tensor<32x64x!tt.ptr<f32>>
  %11 = tt.addptr %10, %6 : tensor<32x64x!tt.ptr<f32>>, tensor<32x64xi32>
  tt.store %11, %9 : tensor<32x64x!tt.ptr<f32>>
  tt.return
}
