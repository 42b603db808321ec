// The LLVM types of elements.
#ifndef QUERN_COMPILER_EMIT_TYPES_H_
#define QUERN_COMPILER_EMIT_TYPES_H_

#include "compiler/builtins/convert.h"
#include "compiler/dialect/dialect.h"
#include "llvm/IR/DerivedTypes.h"

namespace quern {

// Of a value in a register. f8 formats are i8.
llvm::Type* RegisterType(llvm::LLVMContext& context, mlir::Type element);

// Of an element in memory: as in a register, but i1 is i8.
llvm::Type* MemoryType(llvm::LLVMContext& context, mlir::Type element);

FloatFormat FormatOf(mlir::Type element);

// `type`, or a vector of it if `width` is over one.
llvm::Type* LanesOf(llvm::Type* type, unsigned width);

// Lanes of a scalar (1) or vector.
unsigned WidthOf(llvm::Value* value);

}  // namespace quern

#endif  // QUERN_COMPILER_EMIT_TYPES_H_
