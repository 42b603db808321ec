// Memory hazards: when a load may no longer be evaluated where it is used.
#include "compiler/plan/hazards.h"

#include "compiler/plan/operations.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace quern {
namespace {

bool Writes(mlir::Operation* op) {
  if (IsNoOp(op)) return false;
  return llvm::isa<tt::StoreOp, tt::AtomicRmwOp, tt::AtomicCasOp,
                   tt::DescriptorStoreOp, tt::DescriptorReduceOp,
                   tt::DescriptorScatterOp, tt::ExperimentalDescriptorStoreOp,
                   tt::ExperimentalDescriptorScatterOp, tt::CallOp,
                   tt::ElementwiseInlineAsmOp>(op);
}

}  // namespace

Hazards::Hazards(tt::FuncOp function) : function_(function) {
  unsigned next = 1;
  function.walk<mlir::WalkOrder::PreOrder>([&](mlir::Operation* op) {
    if (Writes(op)) writes_.push_back({next, op});
    positions_[op] = next++;
  });
  // Post-order: a loop ends after all that is in it.
  unsigned last = 0;
  function.walk([&](mlir::Operation* op) {
    last = std::max(last, positions_[op]);
    ends_[op] = last;
  });
}

bool Hazards::HasWrite(unsigned begin, unsigned end,
                       llvm::ArrayRef<mlir::Operation*> ignored) const {
  auto at = std::upper_bound(
      writes_.begin(), writes_.end(), begin,
      [](unsigned position, const auto& w) { return position < w.first; });
  for (; at != writes_.end() && at->first < end; ++at) {
    if (!llvm::is_contained(ignored, at->second)) return true;
  }
  return false;
}

bool Hazards::IsWrittenBetween(mlir::Operation* load, mlir::Operation* use,
                               llvm::ArrayRef<mlir::Operation*> ignored) const {
  if (writes_.empty()) return false;
  if (HasWrite(PositionOf(load), PositionOf(use), ignored)) return true;
  // A loop around the use, but not around the load, comes back to the use
  // after all that it writes.
  for (mlir::Operation* loop = use->getParentOp(); loop && loop != function_;
       loop = loop->getParentOp()) {
    if (loop->isProperAncestor(load)) break;
    if (llvm::isa<mlir::scf::IfOp>(loop)) continue;
    if (HasWrite(PositionOf(loop), ends_.lookup(loop) + 1, {})) return true;
  }
  // Blocks may follow each other in any order, and again.
  tt::FuncOp function = function_;
  mlir::Region* body = &function.getBody();
  return body->findAncestorOpInRegion(*load)->getBlock() !=
         body->findAncestorOpInRegion(*use)->getBlock();
}

mlir::Value BaseOf(mlir::Value pointer) {
  llvm::SmallPtrSet<void*, 8> seen;
  while (seen.insert(pointer.getAsOpaquePointer()).second) {
    if (auto argument = llvm::dyn_cast<mlir::BlockArgument>(pointer)) {
      mlir::Operation* parent = argument.getOwner()->getParentOp();
      if (llvm::isa<tt::FuncOp>(parent)) {
        return argument.getOwner()->isEntryBlock() ? pointer : mlir::Value();
      }
      auto loop = llvm::dyn_cast<mlir::scf::ForOp>(parent);
      if (!loop || argument.getArgNumber() == 0) return {};
      // The carried pointer stays within its base if it is only moved.
      mlir::Value next = loop.getYieldedValues()[argument.getArgNumber() - 1];
      while (auto move = next.getDefiningOp<tt::AddPtrOp>()) {
        next = move.getPtr();
      }
      if (next != pointer) return {};
      pointer = loop.getInitArgs()[argument.getArgNumber() - 1];
      continue;
    }
    mlir::Operation* op = pointer.getDefiningOp();
    if (auto loop = llvm::dyn_cast<mlir::scf::ForOp>(op)) {
      const unsigned i = llvm::cast<mlir::OpResult>(pointer).getResultNumber();
      pointer = loop.getRegionIterArgs()[i];
      continue;
    }
    if (!llvm::isa<tt::AddPtrOp, tt::SplatOp, tt::BroadcastOp, tt::ExpandDimsOp,
                   tt::BitcastOp, tt::ReshapeOp, tt::TransOp>(op)) {
      return {};
    }
    pointer = op->getOperand(0);
  }
  return {};
}

bool MayShift(mlir::Value load_pointer, mlir::Value store_pointer) {
  if (load_pointer == store_pointer) return false;
  mlir::Value load_base = BaseOf(load_pointer);
  mlir::Value store_base = BaseOf(store_pointer);
  return !load_base || !store_base || load_base == store_base;
}

}  // namespace quern
