// RUN: quern-opt %s | FileCheck %s --allow-empty

// What the versions of Triton spell differently parses in all spellings.
// CHECK-NOT: error

tt.func public @spellings(%p: tensor<64x!tt.ptr<f32>>, %m: tensor<64xi1>, %o: tensor<64xf32>, %c: i1,
                          %d: !tt.tensordesc<tensor<32x64xf16>>, %e: !tt.tensordesc<32x64xf16>, %i: i32,
                          %u: !tt.tensordesc<tensor<32x64xui8>>, %old: !tt.ptr<i8, 0>) attributes {noinline = false} {
  %0 = tt.load %p, %m, %o cacheModifier = ca evictionPolicy = evict_last : tensor<64x!tt.ptr<f32>>
  %1 = tt.load %p, %m, %o {cachePolicy = #tt.cache_policy<cache_modifier = ca, eviction_policy = evict_last>} : tensor<64x!tt.ptr<f32>>
  %2 = tt.load %p {cache = 1 : i32, evict = 1 : i32, isVolatile = false} : tensor<64x!tt.ptr<f32>>
  tt.store %p, %0, %m {cachePolicy = #tt.cache_policy<cache_modifier = wb, eviction_policy = evict_last>} : tensor<64x!tt.ptr<f32>>
  llvm.intr.assume %c : i1
  "llvm.intr.assume"(%c) : (i1) -> ()
  gpu.barrier
  ttg.barrier all
  ttg.barrier local|global_read
  %3 = tt.descriptor_load %d[%i, %i] : !tt.tensordesc<tensor<32x64xf16>> -> tensor<32x64xf16>
  %4 = tt.experimental_descriptor_load %d[%i, %i] : !tt.tensordesc<tensor<32x64xf16>> -> tensor<32x64xf16>
  %5 = tt.descriptor_load %e[%i, %i] : !tt.tensordesc<32x64xf16> -> tensor<32x64xf16>
  tt.grid_dependency_wait
  tt.return
}
