// RUN: quern-opt --print-llvm %s | FileCheck %s

// Vectors of 32-bit integers are divided as doubles, which is exact; scalars
// never by zero or by -1, which would trap.
// CHECK:     icmp eq i32 %{{.*}}, 0
// CHECK:     fdiv {{.*}}<16 x double>
// CHECK-NOT: sdiv <
// CHECK:     sdiv i32
tt.func public @divides(%x: !tt.ptr<i32>, %y: !tt.ptr<i32>, %n: i32) {
  %range = tt.make_range {end = 1024 : i32, start = 0 : i32} : tensor<1024xi32>
  %0 = tt.splat %x : !tt.ptr<i32> -> tensor<1024x!tt.ptr<i32>>
  %1 = tt.addptr %0, %range : tensor<1024x!tt.ptr<i32>>, tensor<1024xi32>
  %2 = tt.splat %n : i32 -> tensor<1024xi32>
  %3 = arith.divsi %range, %2 : tensor<1024xi32>
  tt.store %1, %3 : tensor<1024x!tt.ptr<i32>>
  %4 = tt.load %y : !tt.ptr<i32>
  %5 = arith.divsi %4, %n : i32
  tt.store %y, %5 : !tt.ptr<i32>
  tt.return
}
