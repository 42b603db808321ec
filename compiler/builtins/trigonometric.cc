// sin, cos and tan.
#include <limits>

#include "compiler/builtins/coefficients.h"
#include "compiler/builtins/functions.h"

namespace quern {
namespace {

// The sine and cosine of the reduced angle high + low.
struct SineCosine {
  llvm::Value* sine;
  llvm::Value* cosine;
};

SineCosine OfReduced(const Lanes& l, const Angle& angle) {
  const bool d = l.is_double();
  llvm::Value* r = angle.high;
  llvm::Value* z = l.Mul(r, r);
  llvm::Value* p = d ? l.Polynomial(z, kSinDouble) : l.Polynomial(z, kSinFloat);
  llvm::Value* sine = l.Add(r, l.Fma(l.Mul(r, z), p, angle.low));

  // 1 - z/2, what rounding it lost, and the smaller terms.
  llvm::Value* q = d ? l.Polynomial(z, kCosDouble) : l.Polynomial(z, kCosFloat);
  llvm::Value* half = l.Mul(l.F(0.5), z);
  llvm::Value* whole = l.Sub(l.F(1.0), half);
  llvm::Value* lost = l.Sub(l.Sub(l.F(1.0), whole), half);
  llvm::Value* rest = l.Fma(l.Mul(z, z), q, l.Neg(l.Mul(r, angle.low)));
  return {sine, l.Add(whole, l.Add(lost, rest))};
}

llvm::Value* BitIsSet(const Lanes& l, llvm::Value* bits, uint64_t mask) {
  return l.builder().CreateICmpNE(l.builder().CreateAnd(bits, l.I(mask)),
                                  l.I(0));
}

// `value`, negated where bit 1 of `bits` is set.
llvm::Value* NegateByBit(const Lanes& l, llvm::Value* value,
                         llvm::Value* bits) {
  return l.Select(BitIsSet(l, bits, 2), l.Neg(value), value);
}

// An infinite angle has no sine.
llvm::Value* FiniteOnly(const Lanes& l, llvm::Value* x, llvm::Value* result) {
  llvm::Value* is_finite =
      l.Less(l.Abs(x), l.F(std::numeric_limits<double>::infinity()));
  return l.Select(is_finite, result,
                  l.F(std::numeric_limits<double>::quiet_NaN()));
}

}  // namespace

llvm::Value* EmitSin(const Lanes& l, llvm::Value* x) {
  const Angle angle = EmitAngle(l, x);
  const SineCosine both = OfReduced(l, angle);
  llvm::Value* value =
      l.Select(BitIsSet(l, angle.quadrant, 1), both.cosine, both.sine);
  value = NegateByBit(l, value, angle.quadrant);
  // The angle was taken without its sign.
  llvm::Value* is_negative = l.builder().CreateICmpSLT(l.Bits(x), l.I(0));
  value = l.Select(is_negative, l.Neg(value), value);
  return FiniteOnly(l, x, value);
}

llvm::Value* EmitCos(const Lanes& l, llvm::Value* x) {
  const Angle angle = EmitAngle(l, x);
  const SineCosine both = OfReduced(l, angle);
  llvm::Value* value =
      l.Select(BitIsSet(l, angle.quadrant, 1), both.sine, both.cosine);
  llvm::Value* next = l.builder().CreateAdd(angle.quadrant, l.I(1));
  return FiniteOnly(l, x, NegateByBit(l, value, next));
}

llvm::Value* EmitTan(const Lanes& l, llvm::Value* x) {
  const Angle angle = EmitAngle(l, x);
  const SineCosine both = OfReduced(l, angle);
  llvm::Value* is_odd = BitIsSet(l, angle.quadrant, 1);
  llvm::Value* numerator = l.Select(is_odd, l.Neg(both.cosine), both.sine);
  llvm::Value* denominator = l.Select(is_odd, both.sine, both.cosine);
  llvm::Value* value = l.Div(numerator, denominator);
  llvm::Value* is_negative = l.builder().CreateICmpSLT(l.Bits(x), l.I(0));
  value = l.Select(is_negative, l.Neg(value), value);
  return FiniteOnly(l, x, value);
}

}  // namespace quern
