// Casts between element types.
#include "compiler/emit/casts.h"

#include "compiler/builtins/convert.h"
#include "compiler/emit/types.h"
#include "compiler/plan/operations.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace quern {
namespace {

namespace arith = mlir::arith;

llvm::Value* ConvertFloat(EmitContext& c, llvm::Value* value, mlir::Type from,
                          mlir::Type to, FloatRounding rounding) {
  if (from == to) return value;
  return EmitFloatConvert(c.b, value, FormatOf(from), FormatOf(to), rounding);
}

// Narrow results are rounded once, from a format that holds the integer.
llvm::Value* IntegerToFloat(EmitContext& c, llvm::Value* value, mlir::Type from,
                            mlir::Type to, bool is_signed) {
  mlir::Builder types(to.getContext());
  const unsigned bits = from.getIntOrFloatBitWidth();
  const unsigned width = to.getIntOrFloatBitWidth();
  mlir::Type exact = to;
  if (width < 32) exact = bits <= 16 ? types.getF32Type() : types.getF64Type();
  llvm::Type* type = LanesOf(RegisterType(c.context(), exact), WidthOf(value));
  llvm::Value* number =
      is_signed ? c.b.CreateSIToFP(value, type) : c.b.CreateUIToFP(value, type);
  return ConvertFloat(c, number, exact, to, FloatRounding::kNearestEven);
}

// What is out of range gives some number, but never undefined behaviour.
llvm::Value* FloatToInteger(EmitContext& c, llvm::Value* value, mlir::Type from,
                            mlir::Type to, bool is_signed) {
  mlir::Builder types(to.getContext());
  if (from.getIntOrFloatBitWidth() < 32) {
    value = ConvertFloat(c, value, from, types.getF32Type(),
                         FloatRounding::kNearestEven);
  }
  llvm::Type* type = LanesOf(RegisterType(c.context(), to), WidthOf(value));
  if (to.getIntOrFloatBitWidth() < 32) {
    llvm::Type* wide = LanesOf(c.b.getInt32Ty(), WidthOf(value));
    return c.b.CreateTrunc(c.b.CreateFreeze(c.b.CreateFPToSI(value, wide)),
                           type);
  }
  return c.b.CreateFreeze(is_signed ? c.b.CreateFPToSI(value, type)
                                    : c.b.CreateFPToUI(value, type));
}

}  // namespace

bool IsCast(mlir::Operation* op) {
  return llvm::isa<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp,
                   arith::SIToFPOp, arith::UIToFPOp, arith::FPToSIOp,
                   arith::FPToUIOp, arith::ExtFOp, arith::TruncFOp,
                   arith::BitcastOp, arith::IndexCastOp, tt::FpToFpOp,
                   tt::BitcastOp>(op);
}

llvm::Value* EmitCast(EmitContext& c, mlir::Operation* op, llvm::Value* value) {
  const mlir::Type from = ElementOf(op->getOperand(0));
  const mlir::Type to = ElementOf(op->getResult(0));
  if (from.isIndex() || to.isIndex()) return nullptr;
  llvm::Type* type = LanesOf(RegisterType(c.context(), to), WidthOf(value));
  using Result = llvm::Value*;
  return llvm::TypeSwitch<mlir::Operation*, Result>(op)
      .Case([&](arith::ExtSIOp) { return c.b.CreateSExt(value, type); })
      .Case([&](arith::ExtUIOp) { return c.b.CreateZExt(value, type); })
      .Case([&](arith::TruncIOp) { return c.b.CreateTrunc(value, type); })
      .Case([&](arith::SIToFPOp) {
        return IntegerToFloat(c, value, from, to, true);
      })
      .Case([&](arith::UIToFPOp) {
        return IntegerToFloat(c, value, from, to, false);
      })
      .Case([&](arith::FPToSIOp) {
        return FloatToInteger(c, value, from, to, true);
      })
      .Case([&](arith::FPToUIOp) {
        return FloatToInteger(c, value, from, to, false);
      })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) {
        return ConvertFloat(c, value, from, to, FloatRounding::kNearestEven);
      })
      .Case([&](tt::FpToFpOp cast) {
        const bool toward_zero =
            cast.getRounding() == tt::Rounding::kTowardZero;
        return ConvertFloat(c, value, from, to,
                            toward_zero ? FloatRounding::kTowardZero
                                        : FloatRounding::kNearestEven);
      })
      .Case<arith::BitcastOp, tt::BitcastOp>(
          [&](auto) { return c.b.CreateBitCast(value, type); })
      .Default(Result(nullptr));
}

llvm::Value* EmitConvert(EmitContext& c, llvm::Value* value, mlir::Type from,
                         mlir::Type to) {
  if (from == to) return value;
  if (llvm::isa<mlir::FloatType>(from)) {
    return ConvertFloat(c, value, from, to, FloatRounding::kNearestEven);
  }
  return c.b.CreateSExt(value,
                        LanesOf(RegisterType(c.context(), to), WidthOf(value)));
}

}  // namespace quern
