// The remainder of floats. Not for use outside this folder.
#ifndef QUERN_COMPILER_EMIT_FLOAT_REMAINDER_H_
#define QUERN_COMPILER_EMIT_FLOAT_REMAINDER_H_

#include "llvm/IR/IRBuilder.h"

namespace quern {

// fmod(x, y) as in C, exact, of f32 scalars or vectors. Null for f64.
llvm::Value* EmitFloatRemainder(llvm::IRBuilder<>& builder, llvm::Value* x,
                                llvm::Value* y);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_FLOAT_REMAINDER_H_
