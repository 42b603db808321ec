// RUN: quern-opt --print-plan %s | FileCheck %s

// Bytes are packed as halves of lanes, and multiplied two at a time.
// CHECK:      buffer [[A:[0-9]+]]: 16x32xi16 {{.*}} row stride 144
// CHECK-NEXT: buffer [[B:[0-9]+]]: 32x64xi16 {{.*}} panels 128x
// CHECK:        dot buffer {{[0-9]+}} += buffer [[A]] * buffer [[B]] by 2
tt.func public @product(%a: !tt.ptr<i8>, %b: !tt.ptr<i8>, %d: !tt.ptr<i32>,
                        %first: i32, %count: i32, %steps: i32) {
  %c0 = arith.constant 0 : i32
  %c1 = arith.constant 1 : i32
  %zeros = arith.constant dense<0> : tensor<16x64xi32>
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
  %a_base = tt.splat %a : !tt.ptr<i8> -> tensor<16x32x!tt.ptr<i8>>
  %a_place = tt.addptr %a_base, %a_offset : tensor<16x32x!tt.ptr<i8>>, tensor<16x32xi32>
  %n_row = tt.expand_dims %wrapped {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
  %b_offset = tt.broadcast %n_row : tensor<1x64xi32> -> tensor<32x64xi32>
  %b_base = tt.splat %b : !tt.ptr<i8> -> tensor<32x64x!tt.ptr<i8>>
  %b_place = tt.addptr %b_base, %b_offset : tensor<32x64x!tt.ptr<i8>>, tensor<32x64xi32>
  %sum:2 = scf.for %i = %c0 to %steps step %c1 iter_args(%at = %a_place, %acc = %zeros) -> (tensor<16x32x!tt.ptr<i8>>, tensor<16x64xi32>) : i32 {
    %x = tt.load %at : tensor<16x32x!tt.ptr<i8>>
    %y = tt.load %b_place : tensor<32x64x!tt.ptr<i8>>
    %next = tt.dot %x, %y, %acc : tensor<16x32xi8> * tensor<32x64xi8> -> tensor<16x64xi32>
    %moved = tt.addptr %at, %move : tensor<16x32x!tt.ptr<i8>>, tensor<16x32xi32>
    scf.yield %moved, %next : tensor<16x32x!tt.ptr<i8>>, tensor<16x64xi32>
  }
  %n_out = tt.expand_dims %j {axis = 0 : i32} : tensor<64xi32> -> tensor<1x64xi32>
  %d_offset = tt.broadcast %n_out : tensor<1x64xi32> -> tensor<16x64xi32>
  %d_base = tt.splat %d : !tt.ptr<i32> -> tensor<16x64x!tt.ptr<i32>>
  %d_place = tt.addptr %d_base, %d_offset : tensor<16x64x!tt.ptr<i32>>, tensor<16x64xi32>
  tt.store %d_place, %sum#1 : tensor<16x64x!tt.ptr<i32>>
  tt.return
}
