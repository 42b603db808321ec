// Integer division that never traps. Not for use outside this folder.
#ifndef QUERN_COMPILER_EMIT_DIVISION_H_
#define QUERN_COMPILER_EMIT_DIVISION_H_

#include "compiler/emit/emit_context.h"

namespace quern {

// The quotient toward zero, of scalars or vectors. Division by zero gives some
// number; the smallest number by -1 gives itself.
llvm::Value* EmitDivision(EmitContext& context, llvm::Value* dividend,
                          llvm::Value* divisor, bool is_signed);

// dividend - divisor x quotient.
llvm::Value* EmitRemainder(EmitContext& context, llvm::Value* dividend,
                           llvm::Value* divisor, bool is_signed);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_DIVISION_H_
