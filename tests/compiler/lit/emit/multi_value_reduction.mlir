// RUN: quern-opt --print-llvm %s | FileCheck %s

// A combine region of several values runs on vectors; until a tile has been
// seen there is nothing to combine with.
// CHECK: fcmp {{.*}}ogt <16 x float>
// CHECK: select {{.*}}<16 x i1> %{{.*}}, <16 x i32>
// CHECK: store i32
tt.func public @argmax(%x: !tt.ptr<f32>, %y: !tt.ptr<i32>) {
  %range = tt.make_range {end = 256 : i32, start = 0 : i32} : tensor<256xi32>
  %0 = tt.splat %x : !tt.ptr<f32> -> tensor<256x!tt.ptr<f32>>
  %1 = tt.addptr %0, %range : tensor<256x!tt.ptr<f32>>, tensor<256xi32>
  %2 = tt.load %1 : tensor<256x!tt.ptr<f32>>
  %3:2 = "tt.reduce"(%2, %range) <{axis = 0 : i32}> ({
  ^bb0(%a: f32, %i: i32, %b: f32, %j: i32):
    %4 = arith.cmpf ogt, %a, %b : f32
    %5 = arith.select %4, %a, %b : f32
    %6 = arith.select %4, %i, %j : i32
    tt.reduce.return %5, %6 : f32, i32
  }) : (tensor<256xf32>, tensor<256xi32>) -> (f32, i32)
  tt.store %y, %3#1 : !tt.ptr<i32>
  tt.return
}
