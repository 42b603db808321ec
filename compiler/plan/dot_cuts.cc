// Which sums of a product are needed: those that the only store of them does
// not mask off.
#include "compiler/plan/operations.h"
#include "compiler/plan/planner.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace quern {
namespace {

namespace arith = mlir::arith;

// Users of one tensor are few; more are not worth the search.
constexpr unsigned kUsersMax = 32;

// The store that everything computed of `value` goes to, element by element.
tt::StoreOp OnlyStore(mlir::Value value) {
  tt::StoreOp store;
  llvm::SmallVector<mlir::Value> work{value};
  for (unsigned seen = 0; !work.empty();) {
    for (mlir::OpOperand& use : work.pop_back_val().getUses()) {
      mlir::Operation* user = use.getOwner();
      if (++seen > kUsersMax) return nullptr;
      if (auto found = llvm::dyn_cast<tt::StoreOp>(user)) {
        if ((store && store != found) || use.get() != found.getValue()) {
          return nullptr;
        }
        store = found;
      } else if (IsElementwise(user)) {
        llvm::append_range(work, user->getResults());
      } else {
        return nullptr;
      }
    }
  }
  return store;
}

// Whether `value` has been computed when `loop` begins.
bool IsKnownBefore(mlir::Value value, mlir::Operation* loop) {
  mlir::Block* block = value.getParentBlock();
  for (mlir::Operation* at = loop; at; at = at->getParentOp()) {
    if (at->getBlock() != block) continue;
    mlir::Operation* op = value.getDefiningOp();
    return !op || op->isBeforeInBlock(at);
  }
  return false;
}

mlir::Value SplatSource(mlir::Value value) {
  auto splat = value.getDefiningOp<tt::SplatOp>();
  return splat ? splat.getSrc() : mlir::Value();
}

// If `compare` says that first + (the index along a dimension) is below a
// limit: that dimension and the two scalars.
std::optional<std::pair<unsigned, Item::Cut>> AsCut(mlir::Value compared,
                                                    mlir::Operation* loop) {
  auto compare = compared.getDefiningOp<arith::CmpIOp>();
  if (!compare || compare.getPredicate() != arith::CmpIPredicate::slt) {
    return std::nullopt;
  }
  auto index = compare.getLhs().getDefiningOp<tt::ExpandDimsOp>();
  mlir::Value limit = SplatSource(compare.getRhs());
  auto sum =
      index ? index.getSrc().getDefiningOp<arith::AddIOp>() : arith::AddIOp();
  if (!sum || !limit) return std::nullopt;
  for (unsigned i = 0; i < 2; ++i) {
    auto range = sum->getOperand(i).getDefiningOp<tt::MakeRangeOp>();
    mlir::Value first = SplatSource(sum->getOperand(1 - i));
    if (!range || range.getStart() != 0 || !first ||
        !IsKnownBefore(first, loop) || !IsKnownBefore(limit, loop)) {
      continue;
    }
    return std::pair(index.getAxis() == 0 ? 1u : 0u, Item::Cut{first, limit});
  }
  return std::nullopt;
}

}  // namespace

void FindCuts(Item& item, mlir::Value sums) {
  tt::StoreOp store = OnlyStore(sums);
  if (!store || !store.getMask()) return;
  llvm::SmallVector<mlir::Value> work{store.getMask()};
  for (unsigned seen = 0; !work.empty() && seen < kUsersMax; ++seen) {
    mlir::Value mask = work.pop_back_val();
    if (auto both = mask.getDefiningOp<arith::AndIOp>()) {
      llvm::append_range(work, both->getOperands());
    } else if (auto broadcast = mask.getDefiningOp<tt::BroadcastOp>()) {
      work.push_back(broadcast.getSrc());
    } else if (auto cut = AsCut(mask, item.op)) {
      item.cuts[cut->first] = cut->second;
    }
  }
}

}  // namespace quern
