// RUN: quern-opt --target x86_64-unknown-linux-gnu:x86-64-v4 --print-llvm %s | FileCheck %s
// RUN: quern-opt --target aarch64-unknown-linux-gnu:neoverse-n1 --print-llvm %s | FileCheck %s --check-prefix=ARM

// The largest number is looked for from minus infinity on; only if nothing else
// is found, once more from NaN on, with more work a tile.
// CHECK-LABEL: define {{.*}}@quern_entry
// CHECK-COUNT-4: phi <16 x float> [ <float 0xFFF0000000000000
// CHECK-NOT:     llvm.maxnum
// CHECK:         fcmp contract oeq float %{{.*}}, 0xFFF0000000000000
// CHECK-NEXT:    br i1
// CHECK:         phi <16 x float> [ <float 0x7FF8000000000000
// CHECK:         call contract <16 x float> @llvm.maxnum.v16f32

// One instruction does it on AArch64.
// ARM-LABEL: define {{.*}}@quern_entry
// ARM:         phi <4 x float> [ <float 0x7FF8000000000000
// ARM-NOT:     select
// ARM:         call contract <4 x float> @llvm.maxnum.v4f32
tt.func public @most(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) {
  %range = tt.make_range {end = 1024 : i32, start = 0 : i32} : tensor<1024xi32>
  %0 = tt.splat %x : !tt.ptr<f32> -> tensor<1024x!tt.ptr<f32>>
  %1 = tt.addptr %0, %range : tensor<1024x!tt.ptr<f32>>, tensor<1024xi32>
  %2 = tt.load %1 : tensor<1024x!tt.ptr<f32>>
  %3 = "tt.reduce"(%2) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %b: f32):
    %4 = arith.maxnumf %a, %b : f32
    tt.reduce.return %4 : f32
  }) : (tensor<1024xf32>) -> f32
  tt.store %y, %3 : !tt.ptr<f32>
  tt.return
}
