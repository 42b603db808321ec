// The one operation of Triton's `ttg` dialect that reaches printed kernels.
#ifndef QUERN_COMPILER_DIALECT_BARRIER_OPS_TD_
#define QUERN_COMPILER_DIALECT_BARRIER_OPS_TD_

include "mlir/IR/OpBase.td"

def TritonGpu_Dialect : Dialect {
  let name = "ttg";
  let cppNamespace = "::quern::ttg";
  let summary = "What printed kernels use of Triton's GPU dialect.";
}

def TritonGpu_BarrierOp : Op<TritonGpu_Dialect, "barrier"> {
  let summary = "Orders memory within a program.";
  let description = [{
    `ttg.barrier all`, or address spaces joined by `|`. Which spaces are named
    makes no difference to a program that runs on one thread.
  }];
  let hasCustomAssemblyFormat = 1;
}

#endif  // QUERN_COMPILER_DIALECT_BARRIER_OPS_TD_
