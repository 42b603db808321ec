// RUN: quern-opt --print-plan %s | FileCheck %s

// A block of a described tensor is masked pointers. Both of its limits are one
// unsigned comparison, which no index past it need fail.
// CHECK:      group 32x64x order [0, 1] vector 1 width 16
// CHECK-NEXT:   bound %{{.*}}, inexact
// CHECK-NEXT:   bound %{{.*}}, inexact
// CHECK-NEXT:   store
tt.func public @copies(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %m: i32, %n: i32) {
  %c0 = arith.constant 0 : i32
  %one = arith.constant 1 : i64
  %stride = arith.extsi %n : i32 to i64
  %0 = tt.make_tensor_descriptor %x, [%m, %n], [%stride, %one] : <f32>, <tensor<32x64xf32>>
  %1 = tt.make_tensor_descriptor %y, [%m, %n], [%stride, %one] : <f32>, <32x64xf32>
  %2 = tt.descriptor_load %0[%c0, %c0] : !tt.tensordesc<tensor<32x64xf32>> -> tensor<32x64xf32>
  tt.descriptor_store %1[%c0, %c0], %2 : !tt.tensordesc<32x64xf32>, tensor<32x64xf32>
  tt.return
}
