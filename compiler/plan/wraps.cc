// Indices that are wrapped around (`(first + range) % count`), as matrix
// products do at their edges: nearly always, there is nothing to wrap.
#include "compiler/plan/operations.h"
#include "compiler/plan/planner.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace quern {
namespace {

constexpr size_t kWrapsMax = 4;

// The group's dimension that the dividend counts along, if it counts by ones
// along that and nothing else, and the divisor is the same everywhere.
std::optional<unsigned> CountsAlong(const Axes& axes, const Group& group,
                                    mlir::arith::RemSIOp op,
                                    const DimMap& map) {
  std::optional<unsigned> along;
  for (unsigned dim = 0; dim < group.shape.size(); ++dim) {
    if (group.shape[dim] == 1) continue;
    if (axes.Along(op.getRhs(), map, dim) != Axes::Stride(0)) {
      return std::nullopt;
    }
    const Axes::Stride stride = axes.Along(op.getLhs(), map, dim);
    if (stride == Axes::Stride(0)) continue;
    if (stride != Axes::Stride(1) || along) return std::nullopt;
    along = dim;
  }
  return along;
}

}  // namespace

void FindWraps(const Plan& plan, const Axes& axes, Group& group) {
  llvm::SmallVector<Use> uses;
  for (const Root& root : group.roots) {
    // Two versions of a group write the same memory, but would each make the
    // scalars of a reduction.
    if (root.kind != Root::Kind::kStore &&
        root.kind != Root::Kind::kMaterialise) {
      return;
    }
    llvm::append_range(uses, RootUses(root, group.shape));
  }
  WalkExpressions(plan, uses, group.materialised, [&](const Use& use) {
    auto op = use.value.getDefiningOp<mlir::arith::RemSIOp>();
    if (!op || !IsTensor(use.value) || plan.HomeOf(use.value) ||
        group.wraps.size() == kWrapsMax) {
      return;
    }
    if (auto along = CountsAlong(axes, group, op, use.map)) {
      group.wraps.push_back({use.value, use.map, *along});
    }
  });
}

}  // namespace quern
