// RUN: quern-opt --print-plan %s | FileCheck %s

// A called function's body takes the call's place.
// CHECK-LABEL: plan @calls
// CHECK-NOT:   tt.call
// CHECK:       arith.mulf
// CHECK:       tt.store
tt.func private @twice(%v: f32) -> f32 attributes {noinline = true} {
  %c = arith.constant 2.0 : f32
  %0 = arith.mulf %v, %c : f32
  tt.return %0 : f32
}
tt.func public @calls(%x: !tt.ptr<f32>) {
  %0 = tt.load %x : !tt.ptr<f32>
  %1 = tt.call @twice(%0) : (f32) -> f32
  tt.store %x, %1 : !tt.ptr<f32>
  tt.return
}
