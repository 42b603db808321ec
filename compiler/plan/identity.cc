// The neutral elements of combining operations.
#include "compiler/plan/identity.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/TypeUtilities.h"

namespace quern {
namespace {

namespace arith = mlir::arith;

mlir::TypedAttr FloatIdentity(mlir::Operation* op, mlir::FloatType type) {
  const llvm::fltSemantics& format = type.getFloatSemantics();
  if (llvm::isa<arith::AddFOp>(op)) {
    return mlir::FloatAttr::get(type, llvm::APFloat::getZero(format, true));
  }
  if (llvm::isa<arith::MulFOp>(op)) {
    return mlir::FloatAttr::get(type, llvm::APFloat(format, 1));
  }
  if (llvm::isa<arith::MaxNumFOp, arith::MaximumFOp>(op)) {
    return mlir::FloatAttr::get(type, llvm::APFloat::getInf(format, true));
  }
  if (llvm::isa<arith::MinNumFOp, arith::MinimumFOp>(op)) {
    return mlir::FloatAttr::get(type, llvm::APFloat::getInf(format, false));
  }
  return {};
}

}  // namespace

mlir::TypedAttr IdentityOf(mlir::Operation* op) {
  const mlir::Type type = mlir::getElementTypeOrSelf(op->getResult(0));
  if (auto format = llvm::dyn_cast<mlir::FloatType>(type)) {
    if (format.getWidth() < 16) return {};
    return FloatIdentity(op, format);
  }
  if (!type.isSignlessInteger()) return {};
  const unsigned bits = type.getIntOrFloatBitWidth();
  auto integer = [&](const llvm::APInt& value) -> mlir::TypedAttr {
    return mlir::IntegerAttr::get(type, value);
  };
  if (llvm::isa<arith::AddIOp, arith::OrIOp, arith::XOrIOp, arith::MaxUIOp>(
          op)) {
    return integer(llvm::APInt::getZero(bits));
  }
  if (llvm::isa<arith::MulIOp>(op)) return integer(llvm::APInt(bits, 1));
  if (llvm::isa<arith::AndIOp, arith::MinUIOp>(op)) {
    return integer(llvm::APInt::getAllOnes(bits));
  }
  if (llvm::isa<arith::MaxSIOp>(op)) {
    return integer(llvm::APInt::getSignedMinValue(bits));
  }
  if (llvm::isa<arith::MinSIOp>(op)) {
    return integer(llvm::APInt::getSignedMaxValue(bits));
  }
  return {};
}

bool IsIdentityOf(mlir::Operation* op, mlir::Attribute constant) {
  if (auto number = llvm::dyn_cast_or_null<mlir::FloatAttr>(constant)) {
    if (llvm::isa<arith::AddFOp>(op)) return number.getValue().isZero();
  }
  return constant && constant == IdentityOf(op);
}

}  // namespace quern
