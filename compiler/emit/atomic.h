// Atomic updates of one element. Not for use outside this folder.
#ifndef QUERN_COMPILER_EMIT_ATOMIC_H_
#define QUERN_COMPILER_EMIT_ATOMIC_H_

#include "compiler/emit/emit_context.h"

namespace quern {

// Emits a tt.atomic_rmw or tt.atomic_cas of scalars, `args` being its
// operands. Returns the old value: zero if a mask turned it off.
llvm::Value* EmitAtomic(EmitContext& context, mlir::Operation* op,
                        llvm::ArrayRef<llvm::Value*> args);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_ATOMIC_H_
