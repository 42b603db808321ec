// RUN: not quern-opt %s 2>&1 | FileCheck %s

// The message ends where the parser goes on to print the operation's text.
// CHECK: INVALID_ARGUMENT: 8:3: block with no terminator{{$}}
// CHECK-NOT: scf.for
tt.func public @unterminated(%n: i32) {
  %zero = arith.constant 0 : i32
  scf.for %i = %zero to %n step %n : i32 {
    %sum = arith.addi %i, %n : i32
  }
}
