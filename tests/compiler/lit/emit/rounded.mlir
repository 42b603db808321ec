// RUN: quern-opt --print-llvm %s | FileCheck %s
// What libdevice says rounds each result is never made part of an FMA.

// CHECK-LABEL: @quern_entry
// CHECK: fmul <
// CHECK: fadd <
// CHECK: fsub <
tt.func public @rounded(%x: !tt.ptr<f32>, %y: !tt.ptr<f32>) {
  %i = tt.make_range {end = 16 : i32, start = 0 : i32} : tensor<16xi32>
  %xs = tt.splat %x : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %xp = tt.addptr %xs, %i : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  %a = tt.load %xp : tensor<16x!tt.ptr<f32>>
  %m = tt.extern_elementwise %a, %a {libname = "", libpath = "", pure = true, symbol = "__nv_fmul_rn"} : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
  %s = tt.extern_elementwise %m, %a {libname = "", libpath = "", pure = true, symbol = "__nv_fadd_rn"} : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
  %d = tt.extern_elementwise %s, %m {libname = "", libpath = "", pure = true, symbol = "__nv_fsub_rn"} : (tensor<16xf32>, tensor<16xf32>) -> tensor<16xf32>
  %ys = tt.splat %y : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>
  %yp = tt.addptr %ys, %i : tensor<16x!tt.ptr<f32>>, tensor<16xi32>
  tt.store %yp, %d : tensor<16x!tt.ptr<f32>>
  tt.return
}
