// The neutral elements of combining operations.
#ifndef QUERN_COMPILER_PLAN_IDENTITY_H_
#define QUERN_COMPILER_PLAN_IDENTITY_H_

#include <optional>

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

namespace quern {

// The value that `combine` (an arith operation of two operands) leaves the
// other operand unchanged with, as a constant of the operands' element type;
// null if it has none.
mlir::TypedAttr IdentityOf(mlir::Operation* combine);

// Whether combining with `constant` changes nothing. Zero of either sign is
// taken for the identity of a sum: only a sum of nothing but -0 would differ.
bool IsIdentityOf(mlir::Operation* combine, mlir::Attribute constant);

}  // namespace quern

#endif  // QUERN_COMPILER_PLAN_IDENTITY_H_
