// The `tt` and `ttg` dialects as C++ classes.
//
// Type helpers are total: they take any type, for the generated parsers call
// them on operands that no verifier has seen yet.
#ifndef QUERN_COMPILER_DIALECT_DIALECT_H_
#define QUERN_COMPILER_DIALECT_DIALECT_H_

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/CallInterfaces.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace quern::tt {

// Whether `type`, or the element of the tensor that it is, satisfies `is`.
bool HasElement(mlir::Type type, llvm::function_ref<bool(mlir::Type)> is);

// What loading from `pointer` gives: a scalar, or a tensor. NoneType, which no
// operation accepts, if `pointer` is no pointer.
mlir::Type PointeeLike(mlir::Type pointer);

// i1, or a tensor of i1 of the shape of `type`.
mlir::Type BoolLike(mlir::Type type);

// The pointer to an element of the block that `blockPointer` points to.
// NoneType if it does not.
mlir::Type ElementPointer(mlir::Type blockPointer);

}  // namespace quern::tt

#include "compiler/dialect/triton_dialect.h.inc"
#include "compiler/dialect/triton_enums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/dialect/triton_attributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/dialect/triton_types.h.inc"

#define GET_OP_CLASSES
#include "compiler/dialect/barrier_dialect.h.inc"
#include "compiler/dialect/triton_ops.h.inc"

#define GET_OP_CLASSES
#include "compiler/dialect/barrier_ops.h.inc"

#endif  // QUERN_COMPILER_DIALECT_DIALECT_H_
