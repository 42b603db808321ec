// RUN: quern-opt --print-llvm %s | FileCheck %s --check-prefix=AVX512
// RUN: quern-opt --print-llvm --target aarch64-unknown-linux-gnu:cortex-a72 %s | FileCheck %s --check-prefix=NEON

// Whole tiles run without masks, at the machine's width whatever the block.
// Behind them comes one masked tile, or, where the machine has no masked
// loads, lane after lane; past the bound, nothing.
// AVX512:     load <16 x float>
// AVX512:     store <16 x float>
// AVX512:     llvm.masked.load.v16f32
// AVX512:     llvm.masked.store.v16f32
// NEON:       load <4 x float>
// NEON:       store <4 x float>
// NEON-NOT:   llvm.masked
// NEON:       load float
// NEON:       store float
tt.func public @doubles(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>, %n: i32) {
  %range = tt.make_range {end = 65536 : i32, start = 0 : i32} : tensor<65536xi32>
  %1 = tt.splat %n : i32 -> tensor<65536xi32>
  %mask = arith.cmpi slt, %range, %1 : tensor<65536xi32>
  %2 = tt.splat %x : !tt.ptr<f32> -> tensor<65536x!tt.ptr<f32>>
  %3 = tt.addptr %2, %range : tensor<65536x!tt.ptr<f32>>, tensor<65536xi32>
  %4 = tt.load %3, %mask : tensor<65536x!tt.ptr<f32>>
  %5 = arith.addf %4, %4 : tensor<65536xf32>
  %6 = tt.splat %y : !tt.ptr<f32> -> tensor<65536x!tt.ptr<f32>>
  %7 = tt.addptr %6, %range : tensor<65536x!tt.ptr<f32>>, tensor<65536xi32>
  tt.store %7, %5, %mask : tensor<65536x!tt.ptr<f32>>
  tt.return
}
