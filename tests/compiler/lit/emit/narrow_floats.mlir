// RUN: quern-opt --print-llvm %s | FileCheck %s

// f16 is computed in f32 and rounded after each operation.
// CHECK: fpext <16 x half> %{{.*}} to <16 x float>
// CHECK: fadd contract <16 x float>
// CHECK: fptrunc <16 x float> %{{.*}} to <16 x half>
// CHECK: fpext
// CHECK: fmul contract <16 x float>
tt.func public @rounds(%x: !tt.ptr<f16>) {
  %range = tt.make_range {end = 64 : i32, start = 0 : i32} : tensor<64xi32>
  %0 = tt.splat %x : !tt.ptr<f16> -> tensor<64x!tt.ptr<f16>>
  %1 = tt.addptr %0, %range : tensor<64x!tt.ptr<f16>>, tensor<64xi32>
  %2 = tt.load %1 : tensor<64x!tt.ptr<f16>>
  %3 = arith.addf %2, %2 : tensor<64xf16>
  %4 = arith.mulf %3, %2 : tensor<64xf16>
  tt.store %1, %4 : tensor<64x!tt.ptr<f16>>
  tt.return
}
