// asin, acos, atan and atan2.
#include "compiler/builtins/coefficients.h"
#include "compiler/builtins/functions.h"

namespace quern {
namespace {

// Constants in two parts of the lanes' precision.
struct Constant {
  double high;
  double low;
};

Constant HalfPi(const Lanes& l) {
  if (l.is_double()) return {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
  return {0x1.921fb6p+0, -0x1.777a5cp-25};
}

Constant Pi(const Lanes& l) {
  const Constant half = HalfPi(l);
  return {2 * half.high, 2 * half.low};
}

llvm::Value* Minus(const Lanes& l, const Constant& constant, llvm::Value* x) {
  return l.Sub(l.F(constant.high), l.Sub(x, l.F(constant.low)));
}

// atan(t) for t within [0, 1].
llvm::Value* AtanOfSmall(const Lanes& l, llvm::Value* t) {
  llvm::Value* z = l.Mul(t, t);
  llvm::Value* p = l.is_double() ? l.Polynomial(z, kAtanDouble)
                                 : l.Polynomial(z, kAtanFloat);
  return l.Fma(l.Mul(t, z), p, t);
}

// asin of the magnitude: up to 1/2 directly, beyond by
// asin(a) = pi/2 - 2 asin(sqrt((1 - a) / 2)).
struct HalfAsin {
  llvm::Value* is_large;
  llvm::Value* value;  // asin(a), or asin(sqrt((1 - a) / 2)).
};

HalfAsin EmitHalfAsin(const Lanes& l, llvm::Value* x) {
  llvm::Value* a = l.Abs(x);
  llvm::Value* is_large = l.Greater(a, l.F(0.5));
  llvm::Value* half_rest = l.Mul(l.F(0.5), l.Sub(l.F(1.0), a));
  llvm::Value* z = l.Select(is_large, half_rest, l.Mul(a, a));
  llvm::Value* t = l.Select(is_large, l.Sqrt(half_rest), a);
  llvm::Value* p = l.is_double() ? l.Polynomial(z, kAsinDouble)
                                 : l.Polynomial(z, kAsinFloat);
  return {is_large, l.Fma(l.Mul(t, z), p, t)};
}

llvm::Value* IsNegative(const Lanes& l, llvm::Value* x) {
  return l.builder().CreateICmpSLT(l.Bits(x), l.I(0));
}

}  // namespace

llvm::Value* EmitAsin(const Lanes& l, llvm::Value* x) {
  const HalfAsin half = EmitHalfAsin(l, x);
  llvm::Value* twice = l.Add(half.value, half.value);
  llvm::Value* large = Minus(l, HalfPi(l), twice);
  return l.CopySign(l.Select(half.is_large, large, half.value), x);
}

llvm::Value* EmitAcos(const Lanes& l, llvm::Value* x) {
  const HalfAsin half = EmitHalfAsin(l, x);
  llvm::Value* twice = l.Add(half.value, half.value);
  llvm::Value* large =
      l.Select(IsNegative(l, x), Minus(l, Pi(l), twice), twice);
  llvm::Value* small = Minus(l, HalfPi(l), l.CopySign(half.value, x));
  return l.Select(half.is_large, large, small);
}

llvm::Value* EmitAtan(const Lanes& l, llvm::Value* x) {
  llvm::Value* a = l.Abs(x);
  llvm::Value* is_large = l.Greater(a, l.F(1.0));
  llvm::Value* t = l.Select(is_large, l.Div(l.F(1.0), a), a);
  llvm::Value* p = AtanOfSmall(l, t);
  return l.CopySign(l.Select(is_large, Minus(l, HalfPi(l), p), p), x);
}

llvm::Value* EmitAtan2(const Lanes& l, llvm::Value* y, llvm::Value* x) {
  llvm::Value* ax = l.Abs(x);
  llvm::Value* ay = l.Abs(y);
  llvm::Value* is_steep = l.Greater(ay, ax);
  llvm::Value* numerator = l.Select(is_steep, ax, ay);
  llvm::Value* denominator = l.Select(is_steep, ay, ax);
  llvm::Value* t = l.Div(numerator, denominator);
  // Two infinities are at 45 degrees; two zeros as if only y were zero.
  t = l.Select(l.Equal(numerator, denominator), l.F(1.0), t);
  t = l.Select(l.Equal(numerator, l.F(0.0)), l.F(0.0), t);
  llvm::Value* p = AtanOfSmall(l, t);
  p = l.Select(is_steep, Minus(l, HalfPi(l), p), p);
  p = l.Select(IsNegative(l, x), Minus(l, Pi(l), p), p);
  llvm::Value* is_nan = l.builder().CreateFCmpUNO(x, y);
  return l.Select(is_nan, l.Add(x, y), l.CopySign(p, y));
}

}  // namespace quern
