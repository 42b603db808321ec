// Combine regions of reductions and scans, on scalars or vectors. Not for use
// outside this folder.
#ifndef QUERN_COMPILER_EMIT_COMBINE_H_
#define QUERN_COMPILER_EMIT_COMBINE_H_

#include "compiler/emit/emit_context.h"

namespace quern {

using Values = llvm::SmallVector<llvm::Value*, 2>;

// The neutral element, if `op` combines one operand by one operation that has
// such; else null.
mlir::TypedAttr CombineIdentity(mlir::Operation* op);

// Whether `op` looks for the largest or the smallest number and passes NaN by:
// then nothing but NaN gives NaN.
bool IgnoresNan(mlir::Operation* op);

// Combines a `total` of `op`, which has one operand, with its neutral element.
llvm::Value* EmitWithIdentity(EmitContext& context, mlir::Operation* op,
                              llvm::Value* total);

// The type in which partial results of operand `i` of `op` are kept.
mlir::Type AccumulatorType(mlir::Operation* op, unsigned i);

// Combines `right` into what the slots of tile `tile` hold.
void Accumulate(EmitContext& context, mlir::Operation* op,
                const Accumulators& accumulators, unsigned tile, Values right);

// What all tiles hold together, as elements of the operands. With
// `across_lanes`, lanes are combined too and the values are scalars.
Values Collect(EmitContext& context, mlir::Operation* op,
               const Accumulators& accumulators, bool across_lanes);

// Sets all slots to what partial results start from, or to empty.
void Reset(EmitContext& context, mlir::Operation* op,
           const Accumulators& accumulators);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_COMBINE_H_
