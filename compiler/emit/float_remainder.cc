// The remainder of floats.
//
// In doubles: multiples |y| 2^s of the divisor are taken off, s falling by 48
// from where no quotient of two floats is larger. Each quotient has fewer than
// 2^49 units, so that it is exact but for one unit, and the fused multiply-add
// leaves an exact remainder, below zero at worst by one multiple.
#include "compiler/emit/float_remainder.h"

#include "compiler/emit/types.h"
#include "llvm/IR/Intrinsics.h"

namespace quern {
namespace {

constexpr int kBitsAtOnce = 48;

// The largest float is below 2^128, the smallest above 2^-150.
constexpr int kQuotientBitsMax = 288;

}  // namespace

llvm::Value* EmitFloatRemainder(llvm::IRBuilder<>& b, llvm::Value* x,
                                llvm::Value* y) {
  llvm::Type* type = x->getType();
  if (!type->getScalarType()->isFloatTy()) return nullptr;
  llvm::IRBuilder<>::FastMathFlagGuard guard(b);
  b.clearFastMathFlags();
  llvm::Type* wide = LanesOf(b.getDoubleTy(), WidthOf(x));
  auto size_of = [&](llvm::Value* value) {
    return b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs,
                                  b.CreateFPExt(value, wide));
  };
  llvm::Value* rest = size_of(x);
  llvm::Value* divisor = size_of(y);
  llvm::Value* zero = llvm::Constant::getNullValue(wide);
  for (int bits = kQuotientBitsMax - kBitsAtOnce; bits >= 0;
       bits -= kBitsAtOnce) {
    llvm::Value* multiple = b.CreateFMul(
        divisor, llvm::ConstantFP::get(wide, std::ldexp(1.0, bits)));
    llvm::Value* quotient = b.CreateUnaryIntrinsic(
        llvm::Intrinsic::floor, b.CreateFDiv(rest, multiple));
    rest = b.CreateIntrinsic(llvm::Intrinsic::fma, {wide},
                             {b.CreateFNeg(quotient), multiple, rest});
    rest = b.CreateSelect(b.CreateFCmpOLT(rest, zero),
                          b.CreateFAdd(rest, multiple), rest);
    rest = b.CreateSelect(b.CreateFCmpOGE(rest, multiple),
                          b.CreateFSub(rest, multiple), rest);
  }
  llvm::Value* result = b.CreateFPTrunc(rest, type);
  result = b.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, result, x);
  // A finite number by infinity is itself.
  llvm::Value* infinity = llvm::ConstantFP::getInfinity(type);
  auto is_below = [&](llvm::Value* value) {
    return b.CreateFCmpOLT(b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, value),
                           infinity);
  };
  llvm::Value* by_infinity = b.CreateAnd(
      is_below(x),
      b.CreateFCmpOEQ(b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, y),
                      infinity));
  return b.CreateSelect(by_infinity, x, result);
}

}  // namespace quern
