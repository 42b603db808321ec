// Instructions that multiply several narrow integers in a lane of 32 bits.
#ifndef QUERN_COMPILER_EMIT_LANE_DOT_H_
#define QUERN_COMPILER_EMIT_LANE_DOT_H_

#include "compiler/emit/emit_context.h"

namespace quern {

// `sum` plus, in each lane of i32, the products of the `elements` integers that
// the lane of `a` holds with those of `b`: two of i16 on x86-64, four of i8 on
// AArch64 with the dot product extension. Exact.
llvm::Value* EmitLaneDot(EmitContext& context, llvm::Value* a, llvm::Value* b,
                         llvm::Value* sum, unsigned elements);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_LANE_DOT_H_
