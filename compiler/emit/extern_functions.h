// The functions of device libraries that kernels name. Not for use outside
// this folder.
#ifndef QUERN_COMPILER_EMIT_EXTERN_FUNCTIONS_H_
#define QUERN_COMPILER_EMIT_EXTERN_FUNCTIONS_H_

#include "compiler/emit/emit_context.h"

namespace quern {

// Null if the function is unknown, or has other types than in libdevice.
llvm::Value* EmitExternFunction(EmitContext& context,
                                tt::ExternElementwiseOp op,
                                llvm::ArrayRef<llvm::Value*> args);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_EXTERN_FUNCTIONS_H_
