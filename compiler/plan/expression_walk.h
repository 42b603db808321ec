// The expressions that a root evaluates at a tile.
#ifndef QUERN_COMPILER_PLAN_EXPRESSION_WALK_H_
#define QUERN_COMPILER_PLAN_EXPRESSION_WALK_H_

#include "compiler/plan/plan.h"

namespace quern {

struct Use {
  mlir::Value value;
  DimMap map;
};

// The values that `op` reads when its result number `result` is computed under
// `map`. Only for operations that are evaluated inline.
llvm::SmallVector<Use, 4> Reads(mlir::OpResult result, const DimMap& map);

// What `root` of a group of `shape` evaluates first.
llvm::SmallVector<Use, 4> RootUses(const Root& root,
                                   llvm::ArrayRef<int64_t> shape);

// Calls `visit` once for each value under each map that evaluating `uses`
// touches, itself included. Scalars, buffers and accumulators are leaves.
// Values in `inlined` are entered although they have a home. Does not recurse.
void WalkExpressions(const Plan& plan, llvm::ArrayRef<Use> uses,
                     const llvm::DenseSet<mlir::Value>& inlined,
                     llvm::function_ref<void(const Use&)> visit);

}  // namespace quern

#endif  // QUERN_COMPILER_PLAN_EXPRESSION_WALK_H_
