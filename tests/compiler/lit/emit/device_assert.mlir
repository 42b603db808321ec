// RUN: quern-opt --print-llvm %s | FileCheck %s

// A failed assert leaves the kernel with its number.
// CHECK: ret i32 1
// CHECK: ret i32 2
tt.func public @asserts(%x: !tt.ptr<i32>, %c: i1) {
  tt.assert %c, "first" : i1
  %0 = tt.load %x : !tt.ptr<i32>
  %1 = arith.trunci %0 : i32 to i1
  tt.assert %1, "second" : i1
  tt.return
}
