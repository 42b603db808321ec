// RUN: quern-opt --print-plan %s | FileCheck %s

// The second store still wants what was in memory before the first: the load
// happens before it, into a buffer.
// CHECK:       group 64x
// CHECK-NEXT:    materialise %[[B:[0-9]+]] -> buffer 0
// CHECK:         store
// CHECK:       group 64x
// CHECK-NEXT:    store {{.*}}%[[B]]
tt.func public @swaps(%x: !tt.ptr<f32>) {
  %c64 = arith.constant 64 : i32
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %upper = tt.addptr %x, %c64 : !tt.ptr<f32>, i32
  %0 = tt.splat %x : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %low = tt.addptr %0, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %1 = tt.splat %upper : !tt.ptr<f32> -> tensor<64x!tt.ptr<f32>>
  %high = tt.addptr %1, %range : tensor<64x!tt.ptr<f32>>, tensor<64xi32>
  %b = tt.load %high : tensor<64x!tt.ptr<f32>>
  %a = tt.load %low : tensor<64x!tt.ptr<f32>>
  tt.store %high, %a : tensor<64x!tt.ptr<f32>>
  tt.store %low, %b : tensor<64x!tt.ptr<f32>>
  tt.return
}
