// What values become where a mask is false.
#ifndef QUERN_COMPILER_PLAN_FOLD_H_
#define QUERN_COMPILER_PLAN_FOLD_H_

#include "compiler/plan/plan.h"

namespace quern {

// Folds expressions under the assumption that some comparisons are false.
class FalseFolder final {
 public:
  explicit FalseFolder(const llvm::DenseSet<mlir::Value>& false_values)
      : false_(false_values) {}

  // The constant that every element of `value` is under the assumption; null
  // if it is not known to be one.
  mlir::Attribute Fold(mlir::Value value, unsigned depth = 64);

 private:
  mlir::Attribute Compute(mlir::Value value, unsigned depth);

  const llvm::DenseSet<mlir::Value>& false_;
  llvm::DenseMap<mlir::Value, mlir::Attribute> known_;
};

}  // namespace quern

#endif  // QUERN_COMPILER_PLAN_FOLD_H_
