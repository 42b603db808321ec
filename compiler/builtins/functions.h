// The families of functions behind EmitMath. Not for use outside this folder.
#ifndef QUERN_COMPILER_BUILTINS_FUNCTIONS_H_
#define QUERN_COMPILER_BUILTINS_FUNCTIONS_H_

#include "compiler/builtins/lanes.h"

namespace quern {

// exponential.cc
llvm::Value* EmitExp(const Lanes& l, llvm::Value* x);
llvm::Value* EmitExp2(const Lanes& l, llvm::Value* x);

}  // namespace quern

#endif  // QUERN_COMPILER_BUILTINS_FUNCTIONS_H_
