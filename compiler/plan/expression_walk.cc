// The expressions that a root evaluates at a tile.
#include "compiler/plan/expression_walk.h"

#include "compiler/plan/operations.h"

namespace quern {

llvm::SmallVector<Use, 4> Reads(mlir::OpResult result, const DimMap& map) {
  mlir::Operation* op = result.getOwner();
  llvm::SmallVector<Use, 4> reads;
  for (unsigned i = 0; i < op->getNumOperands(); ++i) {
    mlir::Value operand = op->getOperand(i);
    // The source is a buffer, read at computed places.
    if (llvm::isa<tt::GatherOp>(op) && i == 0) continue;
    reads.push_back(
        {operand, OperandMap(op, i, result.getResultNumber(), map)});
  }
  return reads;
}

llvm::SmallVector<Use, 4> RootUses(const Root& root,
                                   llvm::ArrayRef<int64_t> shape) {
  llvm::SmallVector<Use, 4> uses;
  const DimMap map = DimMap::Identity(shape);
  switch (root.kind) {
    case Root::Kind::kCopy:
      break;
    case Root::Kind::kMaterialise:
    case Root::Kind::kAccumulate:
      uses.push_back({root.value, map});
      break;
    default:
      for (mlir::Value operand : root.op->getOperands()) {
        uses.push_back({operand, IsTensor(operand) ? map : DimMap()});
      }
  }
  return uses;
}

void WalkExpressions(const Plan& plan, llvm::ArrayRef<Use> uses,
                     const llvm::DenseSet<mlir::Value>& inlined,
                     llvm::function_ref<void(const Use&)> visit) {
  llvm::DenseSet<std::pair<mlir::Value, uint64_t>> seen;
  llvm::SmallVector<Use> work(uses.begin(), uses.end());
  while (!work.empty()) {
    const Use use = work.pop_back_val();
    if (!seen.insert({use.value, use.map.key()}).second) continue;
    visit(use);
    if (!IsTensor(use.value)) {
      // A scalar has been computed, unless it is the element of a tensor.
      continue;
    }
    const Home* home = plan.HomeOf(use.value);
    if (home && home->kind == Home::Kind::kStep) {
      work.push_back({plan.steps[home->index].init, use.map});
      continue;
    }
    if (home && !inlined.contains(use.value)) continue;
    auto result = llvm::dyn_cast<mlir::OpResult>(use.value);
    if (!result) continue;
    llvm::append_range(work, Reads(result, use.map));
  }
}

}  // namespace quern
