// The remainder of floats.
//
// In doubles: multiples |y| 2^s of the divisor are taken off, s falling by 48
// from where no quotient of two numbers is larger. Each quotient has fewer than
// 2^49 units, so that it is exact but for one unit, and the fused multiply-add
// leaves an exact remainder, below zero at worst by one multiple.
#include "compiler/emit/float_remainder.h"

#include <algorithm>
#include <cmath>

#include "compiler/emit/types.h"
#include "llvm/IR/Intrinsics.h"

namespace quern {
namespace {

constexpr int kBitsAtOnce = 48;

// The largest float is below 2^128, the smallest above 2^-150; of doubles
// these are 2^1024 and 2^-1075. Both are multiples of `kBitsAtOnce`.
constexpr int kQuotientBitsFloat = 288;
constexpr int kQuotientBitsDouble = 2112;

// `value` 2^bits, infinity where that is too large. No factor is.
llvm::Value* Shifted(llvm::IRBuilder<>& b, llvm::Value* value, int bits) {
  constexpr int kFactorBitsMax = 1000;
  for (; bits > 0; bits -= kFactorBitsMax) {
    const int step = std::min(bits, kFactorBitsMax);
    value = b.CreateFMul(
        value, llvm::ConstantFP::get(value->getType(), std::ldexp(1.0, step)));
  }
  return value;
}

// `rest`, of which less than 2^48 multiples are left, without them. An infinite
// multiple is in nothing finite.
llvm::Value* WithoutMultiples(llvm::IRBuilder<>& b, llvm::Value* rest,
                              llvm::Value* multiple, bool may_be_infinite) {
  llvm::Type* type = rest->getType();
  llvm::Value* quotient = b.CreateUnaryIntrinsic(llvm::Intrinsic::floor,
                                                 b.CreateFDiv(rest, multiple));
  llvm::Value* left = b.CreateIntrinsic(
      llvm::Intrinsic::fma, {type}, {b.CreateFNeg(quotient), multiple, rest});
  left =
      b.CreateSelect(b.CreateFCmpOLT(left, llvm::Constant::getNullValue(type)),
                     b.CreateFAdd(left, multiple), left);
  left = b.CreateSelect(b.CreateFCmpOGE(left, multiple),
                        b.CreateFSub(left, multiple), left);
  // As a double, no multiple of a finite float is infinite.
  if (!may_be_infinite) return left;
  llvm::Value* infinity = llvm::ConstantFP::getInfinity(type);
  llvm::Value* is_in_nothing = b.CreateAnd(b.CreateFCmpOEQ(multiple, infinity),
                                           b.CreateFCmpOLT(rest, infinity));
  return b.CreateSelect(is_in_nothing, rest, left);
}

}  // namespace

llvm::Value* EmitFloatRemainder(llvm::IRBuilder<>& b, llvm::Value* x,
                                llvm::Value* y) {
  llvm::Type* type = x->getType();
  const bool is_double = type->getScalarType()->isDoubleTy();
  if (!is_double && !type->getScalarType()->isFloatTy()) return nullptr;
  llvm::IRBuilder<>::FastMathFlagGuard guard(b);
  b.clearFastMathFlags();
  llvm::Type* wide = LanesOf(b.getDoubleTy(), WidthOf(x));
  auto size_of = [&](llvm::Value* value) {
    if (!is_double) value = b.CreateFPExt(value, wide);
    return b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, value);
  };
  llvm::Value* rest = size_of(x);
  llvm::Value* divisor = size_of(y);
  const int bits_max = is_double ? kQuotientBitsDouble : kQuotientBitsFloat;
  for (int bits = bits_max - kBitsAtOnce; bits >= 0; bits -= kBitsAtOnce) {
    rest = WithoutMultiples(b, rest, Shifted(b, divisor, bits),
                            /*may_be_infinite=*/is_double);
  }
  llvm::Value* result = is_double ? rest : b.CreateFPTrunc(rest, type);
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
