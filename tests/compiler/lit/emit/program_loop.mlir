// RUN: quern-opt --print-llvm %s | FileCheck %s

// The loop over programs is inside: arguments are loaded once, before it, and
// a program's coordinates follow from the last one's without a division.
// CHECK-LABEL: define i32 @quern_entry(
// CHECK:       load float
// CHECK:     program:
// CHECK-NOT:   udiv
// CHECK:       fmul contract float
// CHECK:       store float
// CHECK-NOT:   udiv
// CHECK:       br i1 %{{.*}}, label %program
tt.func public @scales(%x: !tt.ptr<f32>, %s: f32) {
  %pid = tt.get_program_id x : i32
  %0 = tt.addptr %x, %pid : !tt.ptr<f32>, i32
  %1 = tt.load %0 : !tt.ptr<f32>
  %2 = arith.mulf %1, %s : f32
  tt.store %0, %2 : !tt.ptr<f32>
  tt.return
}
