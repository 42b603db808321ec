// RUN: not quern-opt --print-plan %s 2>&1 | FileCheck %s

// What is not lowered is named, with its place.
// CHECK: UNIMPLEMENTED: 6:3: tt.print: not supported
tt.func public @prints(%n: i32) {
  tt.print " n: " {hex = false, isSigned = array<i32: 1>} : %n : i32
  tt.return
}
