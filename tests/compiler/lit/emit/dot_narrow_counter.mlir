// RUN: quern-opt --print-llvm %s | FileCheck %s

// The loop counts in i8, which chunks of the product must not widen.
// CHECK-LABEL: define i32 @quern_entry
// CHECK:       icmp slt i8
tt.func public @product(%a: !tt.ptr<f32>, %b: !tt.ptr<f32>, %d: !tt.ptr<f32>,
                        %first: i32, %count: i32, %steps: i8) {
  %c0 = arith.constant 0 : i8
  %c1 = arith.constant 1 : i8
  %zeros = arith.constant dense<0.000000e+00> : tensor<16x64xf32>
  %move = arith.constant dense<32> : tensor<16x32xi32>
  %k = tt.make_range {end = 32 : i32, start = 0 : i32} : tensor<32xi32>
  %m = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %j = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %start = tt.splat %first : i32 -> tensor<64xi32>
  %column = arith.addi %start, %j : tensor<64xi32>
  %limit = tt.splat %count : i32 -> tensor<64xi32>
  %wrapped = arith.remsi %column, %limit : tensor<64xi32>
  %k_row = tt.expand_dims %k {axis = 0 : i32} : tensor<32xi32> -> tensor<1x32xi32>
  %a_offset = tt.broadcast %k_row : tensor<1x32xi32> -> tensor<16x32xi32>
  %a_base = tt.splat %a : !tt.ptr<f32> -> tensor<16x32x!tt.ptr<f32>>
  %a_place = tt.addptr %a_base, %a_offset : tensor<16x32x!tt.ptr<f32>>, tensor<16x32xi32>
  %n_row = tt.expand_dims %wrapped {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
  %b_offset = tt.broadcast %n_row : tensor<1x64xi32> -> tensor<32x64xi32>
  %b_base = tt.splat %b : !tt.ptr<f32> -> tensor<32x64x!tt.ptr<f32>>
  %b_place = tt.addptr %b_base, %b_offset : tensor<32x64x!tt.ptr<f32>>, tensor<32x64xi32>
  %sum:2 = scf.for %i = %c0 to %steps step %c1 iter_args(%at = %a_place, %acc = %zeros) -> (tensor<16x32x!tt.ptr<f32>>, tensor<16x64xf32>) : i8 {
    %x = tt.load %at : tensor<16x32x!tt.ptr<f32>>
    %y = tt.load %b_place : tensor<32x64x!tt.ptr<f32>>
    %next = tt.dot %x, %y, %acc : tensor<16x32xf32> * tensor<32x64xf32> -> tensor<16x64xf32>
    %moved = tt.addptr %at, %move : tensor<16x32x!tt.ptr<f32>>, tensor<16x32xi32>
    scf.yield %moved, %next : tensor<16x32x!tt.ptr<f32>>, tensor<16x64xf32>
  }
  %n_out = tt.expand_dims %j {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
  %d_offset = tt.broadcast %n_out : tensor<1x64xi32> -> tensor<16x64xi32>
  %d_base = tt.splat %d : !tt.ptr<f32> -> tensor<16x64x!tt.ptr<f32>>
  %d_place = tt.addptr %d_base, %d_offset : tensor<16x64x!tt.ptr<f32>>, tensor<16x64xi32>
  tt.store %d_place, %sum#1 : tensor<16x64x!tt.ptr<f32>>
  tt.return
}
