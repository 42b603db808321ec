// By how much the elements of a tensor grow along each of its dimensions.
#ifndef QUERN_COMPILER_PLAN_AXES_H_
#define QUERN_COMPILER_PLAN_AXES_H_

#include <optional>

#include "compiler/plan/plan.h"

namespace quern {

// The strides of integers (in units) and pointers (in bytes): zero where the
// elements are all equal, which is asked of values of every type; nothing
// where it is unknown. As in Triton's own analysis, sums of indices are taken
// not to wrap.
class Axes final {
 public:
  using Stride = std::optional<int64_t>;
  using Strides = llvm::SmallVector<Stride, 4>;

  // `plan` outlives this, and is being built: values with a home of kind
  // kBuffer have no strides.
  explicit Axes(const Plan& plan) : plan_(plan) {}

  // Called for each operation in program order.
  void Visit(mlir::Operation* op);
  // A tensor that a loop carries, as it is before the loop.
  void SetLike(mlir::Value value, mlir::Value init);

  Strides Of(mlir::Value value) const;

  // The stride of `value` under `map` along dimension `dim` of the group.
  Stride Along(mlir::Value value, const DimMap& map, int dim) const;

  // Whether all elements are known to be equal.
  bool IsUniform(mlir::Value value) const;

 private:
  Strides Compute(mlir::Value value) const;
  Strides OfView(mlir::Operation* op, unsigned rank) const;
  Strides OfArithmetic(mlir::Operation* op, unsigned rank) const;

  const Plan& plan_;
  llvm::DenseMap<mlir::Value, Strides> strides_;
};

}  // namespace quern

#endif  // QUERN_COMPILER_PLAN_AXES_H_
