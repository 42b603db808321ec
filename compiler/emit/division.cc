// Integer division that never traps.
#include "compiler/emit/division.h"

#include "compiler/emit/types.h"

namespace quern {
namespace {

bool IsSafeConstant(llvm::Value* divisor) {
  auto* constant = llvm::dyn_cast<llvm::Constant>(divisor);
  if (!constant) return false;
  if (llvm::Constant* splat = constant->getSplatValue()) constant = splat;
  auto* number = llvm::dyn_cast<llvm::ConstantInt>(constant);
  return number && !number->isZero() && !number->isMinusOne();
}

// One quotient. The processor traps on zero and, for signed numbers, on the
// smallest number by -1: both are divided by one instead.
llvm::Value* DivideScalar(llvm::IRBuilder<>& b, llvm::Value* dividend,
                          llvm::Value* divisor, bool is_signed) {
  if (IsSafeConstant(divisor)) {
    return is_signed ? b.CreateSDiv(dividend, divisor)
                     : b.CreateUDiv(dividend, divisor);
  }
  llvm::Type* type = dividend->getType();
  llvm::Value* one = llvm::ConstantInt::get(type, 1);
  llvm::Value* is_zero = b.CreateIsNull(divisor);
  if (!is_signed) {
    return b.CreateUDiv(dividend, b.CreateSelect(is_zero, one, divisor));
  }
  llvm::Value* is_minus_one =
      b.CreateICmpEQ(divisor, llvm::ConstantInt::getSigned(type, -1));
  llvm::Value* safe =
      b.CreateSelect(b.CreateOr(is_zero, is_minus_one), one, divisor);
  llvm::Value* quotient = b.CreateSDiv(dividend, safe);
  return b.CreateSelect(is_minus_one, b.CreateNeg(dividend), quotient);
}

// Up to 32 bits, a quotient of doubles is exact once it is truncated.
llvm::Value* DivideInDouble(llvm::IRBuilder<>& b, llvm::Value* dividend,
                            llvm::Value* divisor, bool is_signed) {
  llvm::Type* wide = LanesOf(b.getDoubleTy(), WidthOf(dividend));
  llvm::Type* type = dividend->getType();
  auto widen = [&](llvm::Value* value) {
    return is_signed ? b.CreateSIToFP(value, wide)
                     : b.CreateUIToFP(value, wide);
  };
  llvm::Value* quotient = b.CreateFDiv(widen(dividend), widen(divisor));
  // By zero the quotient is no number; which integer that gives is left open.
  return b.CreateFreeze(is_signed ? b.CreateFPToSI(quotient, type)
                                  : b.CreateFPToUI(quotient, type));
}

}  // namespace

llvm::Value* EmitDivision(EmitContext& c, llvm::Value* dividend,
                          llvm::Value* divisor, bool is_signed) {
  llvm::IRBuilder<>& b = c.b;
  const unsigned width = WidthOf(dividend);
  if (width == 1) return DivideScalar(b, dividend, divisor, is_signed);
  if (IsSafeConstant(divisor)) {
    return is_signed ? b.CreateSDiv(dividend, divisor)
                     : b.CreateUDiv(dividend, divisor);
  }
  if (dividend->getType()->getScalarSizeInBits() <= 32) {
    return DivideInDouble(b, dividend, divisor, is_signed);
  }
  llvm::Value* lanes = llvm::PoisonValue::get(dividend->getType());
  for (unsigned i = 0; i < width; ++i) {
    llvm::Value* lane =
        DivideScalar(b, b.CreateExtractElement(dividend, i),
                     b.CreateExtractElement(divisor, i), is_signed);
    lanes = b.CreateInsertElement(lanes, lane, i);
  }
  return lanes;
}

llvm::Value* EmitRemainder(EmitContext& c, llvm::Value* dividend,
                           llvm::Value* divisor, bool is_signed) {
  if (IsSafeConstant(divisor)) {
    return is_signed ? c.b.CreateSRem(dividend, divisor)
                     : c.b.CreateURem(dividend, divisor);
  }
  llvm::Value* quotient = EmitDivision(c, dividend, divisor, is_signed);
  return c.b.CreateSub(dividend, c.b.CreateMul(quotient, divisor));
}

}  // namespace quern
