// The remainder of floats. Not for use outside this folder.
#ifndef QUERN_COMPILER_EMIT_FLOAT_REMAINDER_H_
#define QUERN_COMPILER_EMIT_FLOAT_REMAINDER_H_

#include "llvm/IR/IRBuilder.h"

namespace quern {

// fmod(x, y) as in C, exact, of scalars or vectors of f32 or f64; null for other
// types. Of f64 it is long: 44 divisions.
llvm::Value* EmitFloatRemainder(llvm::IRBuilder<>& builder, llvm::Value* x,
                                llvm::Value* y);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_FLOAT_REMAINDER_H_
