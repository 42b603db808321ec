// RUN: not quern-opt --print-plan %s 2>&1 | FileCheck %s

// A function that calls itself has no end when it is inlined.
// CHECK: UNIMPLEMENTED: 9:1: tt.func: calls that do not end
tt.func private @again(%v: f32) {
  tt.call @again(%v) : (f32) -> ()
  tt.return
}
tt.func public @calls(%v: f32) {
  tt.call @again(%v) : (f32) -> ()
  tt.return
}
