// RUN: quern-opt --print-plan %s | FileCheck %s

// From the end on, what the mask turns off comes first: no bound
// splits them.
// CHECK-LABEL: plan @reverse
// CHECK:       group 64x order [0] vector 0 width 1 axis 0
// CHECK-NEXT:    scan
tt.func public @reverse(%x: !tt.ptr<i32>, %n: i32) {
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %zero = arith.constant dense<0> : tensor<64xi32>
  %limit = tt.splat %n : i32 -> tensor<64xi32>
  %mask = arith.cmpi slt, %range, %limit : tensor<64xi32>
  %0 = tt.splat %x : !tt.ptr<i32> -> tensor<64x!tt.ptr<i32>>
  %1 = tt.addptr %0, %range : tensor<64x!tt.ptr<i32>>, tensor<64xi32>
  %2 = tt.load %1, %mask, %zero : tensor<64x!tt.ptr<i32>>
  %3 = "tt.scan"(%2) <{axis = 0 : i32, reverse = true}> ({
  ^bb0(%a: i32, %b: i32):
    %4 = arith.addi %a, %b : i32
    tt.scan.return %4 : i32
  }) : (tensor<64xi32>) -> tensor<64xi32>
  tt.store %1, %3 : tensor<64x!tt.ptr<i32>>
  tt.return
}
