// RUN: quern-opt --print-plan %s | FileCheck %s

// One group, no buffer; the mask is a bound, and nothing is left past it.
// CHECK-LABEL: plan @add scratch 0
// CHECK:       group 1024x order [0] vector 0 width 16
// CHECK-NEXT:    bound %{{.*}}, dead past it
// CHECK-NEXT:    store
// CHECK-NEXT:  tt.return
tt.func public @add(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i32) {
  %c = arith.constant 1024 : i32
  %pid = tt.get_program_id x : i32
  %start = arith.muli %pid, %c : i32
  %range = tt.make_range {end = 1024 : i32, start = 0 : i32} : tensor<1024xi32>
  %0 = tt.splat %start : i32 -> tensor<1024xi32>
  %at = arith.addi %0, %range : tensor<1024xi32>
  %1 = tt.splat %n : i32 -> tensor<1024xi32>
  %mask = arith.cmpi slt, %at, %1 : tensor<1024xi32>
  %2 = tt.splat %x : !tt.ptr<f32> -> tensor<1024x!tt.ptr<f32>>
  %3 = tt.addptr %2, %at : tensor<1024x!tt.ptr<f32>>, tensor<1024xi32>
  %4 = tt.load %3, %mask : tensor<1024x!tt.ptr<f32>>
  %5 = arith.addf %4, %4 : tensor<1024xf32>
  %6 = tt.splat %y : !tt.ptr<f32> -> tensor<1024x!tt.ptr<f32>>
  %7 = tt.addptr %6, %at : tensor<1024x!tt.ptr<f32>>, tensor<1024xi32>
  tt.store %7, %5, %mask : tensor<1024x!tt.ptr<f32>>
  tt.return
}
