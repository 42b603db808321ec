// Casts between element types. Not for use outside this folder.
#ifndef QUERN_COMPILER_EMIT_CASTS_H_
#define QUERN_COMPILER_EMIT_CASTS_H_

#include "compiler/emit/emit_context.h"

namespace quern {

bool IsCast(mlir::Operation* op);

// Null if the types are not supported.
llvm::Value* EmitCast(EmitContext& context, mlir::Operation* op,
                      llvm::Value* value);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_CASTS_H_
