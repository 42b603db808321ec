// What values become where a mask is false.
#include "compiler/plan/fold.h"

#include "compiler/plan/operations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace quern {
namespace {

bool IsFalse(mlir::Attribute attribute) {
  auto number = llvm::dyn_cast_or_null<mlir::IntegerAttr>(attribute);
  return number && number.getValue().getBitWidth() == 1 &&
         number.getValue().isZero();
}

// The float operations whose constants occur behind masks.
mlir::Attribute FoldFloats(mlir::Operation* op, mlir::FloatAttr a,
                           mlir::FloatAttr b) {
  llvm::APFloat value = a.getValue();
  const auto nearest = llvm::APFloat::rmNearestTiesToEven;
  if (llvm::isa<mlir::arith::MulFOp>(op)) {
    value.multiply(b.getValue(), nearest);
  } else if (llvm::isa<mlir::arith::AddFOp>(op)) {
    value.add(b.getValue(), nearest);
  } else if (llvm::isa<mlir::arith::SubFOp>(op)) {
    value.subtract(b.getValue(), nearest);
  } else {
    return {};
  }
  return mlir::FloatAttr::get(a.getType(), value);
}

}  // namespace

mlir::Attribute FalseFolder::Fold(mlir::Value value, unsigned depth) {
  if (depth == 0) return {};
  auto found = known_.find(value);
  if (found != known_.end()) return found->second;
  mlir::Attribute result = Compute(value, depth - 1);
  known_[value] = result;
  return result;
}

mlir::Attribute FalseFolder::Compute(mlir::Value value, unsigned depth) {
  mlir::Builder builder(value.getContext());
  if (false_.contains(value)) return builder.getBoolAttr(false);
  if (mlir::Attribute constant = SplatConstant(value)) return constant;
  mlir::Operation* op = value.getDefiningOp();
  if (!op) return {};
  if (IsView(op) && op->getNumOperands() == 1) {
    return Fold(op->getOperand(0), depth);
  }
  if (llvm::isa<mlir::arith::AndIOp>(op)) {
    for (mlir::Value operand : op->getOperands()) {
      mlir::Attribute folded = Fold(operand, depth);
      if (IsFalse(folded)) return folded;
    }
    return {};
  }
  if (auto load = llvm::dyn_cast<tt::LoadOp>(op)) {
    if (!load.getMask() || !load.getOther()) return {};
    if (!IsFalse(Fold(load.getMask(), depth))) return {};
    return Fold(load.getOther(), depth);
  }
  if (llvm::isa<mlir::arith::SelectOp>(op)) {
    if (!IsFalse(Fold(op->getOperand(0), depth))) return {};
    return Fold(op->getOperand(2), depth);
  }
  if (auto extend = llvm::dyn_cast<mlir::arith::ExtFOp>(op)) {
    auto number =
        llvm::dyn_cast_or_null<mlir::FloatAttr>(Fold(extend.getIn(), depth));
    if (!number) return {};
    llvm::APFloat wide = number.getValue();
    bool loses = false;
    auto type = llvm::cast<mlir::FloatType>(ElementOf(extend.getOut()));
    wide.convert(type.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven,
                 &loses);
    return mlir::FloatAttr::get(type, wide);
  }
  if (op->getNumOperands() == 2 && op->getNumResults() == 1) {
    auto a =
        llvm::dyn_cast_or_null<mlir::FloatAttr>(Fold(op->getOperand(0), depth));
    auto b =
        llvm::dyn_cast_or_null<mlir::FloatAttr>(Fold(op->getOperand(1), depth));
    if (a && b && a.getType() == b.getType()) return FoldFloats(op, a, b);
  }
  return {};
}

}  // namespace quern
