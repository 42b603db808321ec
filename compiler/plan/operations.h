// What kinds of operations there are, for planning and for emission.
#ifndef QUERN_COMPILER_PLAN_OPERATIONS_H_
#define QUERN_COMPILER_PLAN_OPERATIONS_H_

#include <optional>

#include "compiler/dialect/dialect.h"
#include "compiler/plan/dim_map.h"

namespace quern {

// The type's shape; empty for a scalar.
llvm::ArrayRef<int64_t> ShapeOf(mlir::Type type);
inline llvm::ArrayRef<int64_t> ShapeOf(mlir::Value value) {
  return ShapeOf(value.getType());
}
mlir::Type ElementOf(mlir::Value value);
inline bool IsTensor(mlir::Value value) {
  return llvm::isa<mlir::RankedTensorType>(value.getType());
}

// Bytes of one element in memory: 1 for i1, 8 for a pointer.
uint64_t ElementBytes(mlir::Type element);

// Whether `op` works element by element on equal shapes (or on scalars) and
// touches no memory.
bool IsElementwise(mlir::Operation* op);

// Whether `op` only renames elements: splat, broadcast, trans and the like.
bool IsView(mlir::Operation* op);

// A reshape that only adds or removes dimensions of size one.
bool IsUnitReshape(mlir::Operation* op);

// Whether evaluating `op` costs so much that it is not done twice.
bool IsExpensive(mlir::Operation* op);

// Whether `op` means nothing here: hints and barriers.
bool IsNoOp(mlir::Operation* op);

// The map of operand `index` of a view or elementwise operation, whose result
// number `result` has the map `map`.
DimMap OperandMap(mlir::Operation* op, unsigned index, unsigned result,
                  const DimMap& map);

// The constant that every element of `value` is; null if it is none.
mlir::TypedAttr SplatConstant(mlir::Value value);

// If the region combines by a single operation of its two arguments, that
// operation; else null.
mlir::Operation* SingleCombine(mlir::Region& region);

}  // namespace quern

#endif  // QUERN_COMPILER_PLAN_OPERATIONS_H_
