// erf, erfc and erfcx.
//
// Up to 1 erf is a polynomial; beyond, erfc is exp(-x^2) times a smooth
// function of (x - c) / (x + c).
#include <limits>

#include "compiler/builtins/coefficients.h"
#include "compiler/builtins/functions.h"

namespace quern {
namespace {

llvm::Value* SmallErf(const Lanes& l, llvm::Value* x) {
  llvm::Value* z = l.Mul(x, x);
  llvm::Value* p = l.is_double() ? l.Polynomial(z, kErfSmallDouble)
                                 : l.Polynomial(z, kErfSmallFloat);
  return l.Fma(x, p, x);
}

// From here on erfc is 0.
double ZeroErfc(const Lanes& l) { return l.is_double() ? 27.5 : 10.2; }

// exp(a^2) erfc(a) for a from 1/2 to where erfc is 0.
llvm::Value* MediumErfcx(const Lanes& l, llvm::Value* a) {
  const bool d = l.is_double();
  llvm::Value* c = l.F(d ? 4.0 : 2.0);
  llvm::Value* q = l.Div(l.Sub(a, c), l.Add(a, c));
  llvm::Value* p =
      d ? l.Polynomial(q, kErfcxDouble) : l.Polynomial(q, kErfcxFloat);
  return l.Div(p, l.Fma(a, l.F(2.0), l.F(1.0)));
}

// erfc(a) for a >= 1/2; anything for smaller a.
llvm::Value* LargeErfc(const Lanes& l, llvm::Value* a) {
  a = l.Clamp(a, 0.0, ZeroErfc(l));
  const Pair square = MultiplyExactly(l, a, a);
  llvm::Value* e = EmitExp(l, l.Neg(square.high));
  e = l.Fma(l.Neg(e), square.low, e);
  return l.Mul(MediumErfcx(l, a), e);
}

}  // namespace

llvm::Value* EmitErf(const Lanes& l, llvm::Value* x) {
  llvm::Value* a = l.Abs(x);
  llvm::Value* rest;
  if (l.is_double()) {
    rest = LargeErfc(l, a);
  } else {
    // Cheaper, and precise enough for a difference from 1.
    rest = EmitExp(l, l.Polynomial(l.Clamp(a, 1.0, 4.05), kLogErfcFloat));
  }
  llvm::Value* is_large = l.Greater(a, l.F(1.0));
  llvm::Value* large = l.CopySign(l.Sub(l.F(1.0), rest), x);
  return l.Select(is_large, large, SmallErf(l, x));
}

llvm::Value* EmitErfc(const Lanes& l, llvm::Value* x) {
  llvm::Value* a = l.Abs(x);
  llvm::Value* large = LargeErfc(l, a);
  llvm::Value* is_negative = l.Less(x, l.F(0.0));
  large = l.Select(is_negative, l.Sub(l.F(2.0), large), large);
  llvm::Value* small = l.Sub(l.F(1.0), SmallErf(l, x));
  // Further on the difference from 1 would lose digits.
  return l.Select(l.Greater(a, l.F(0.5)), large, small);
}

llvm::Value* EmitErfcx(const Lanes& l, llvm::Value* x) {
  if (!l.is_double()) return EmitInDoubles(l, EmitErfcx, x);
  llvm::Value* a = l.Abs(x);
  llvm::Value* medium = MediumErfcx(l, l.Clamp(a, 0.0, ZeroErfc(l)));
  llvm::Value* inverse = l.Div(l.F(1.0), a);
  llvm::Value* large =
      l.Mul(inverse, l.Polynomial(l.Mul(inverse, inverse), kErfcxLarge));
  llvm::Value* value = l.Select(l.Greater(a, l.F(ZeroErfc(l))), large, medium);
  // exp(x^2), with the digits that the square lost, up to where it is infinite.
  llvm::Value* b = l.Clamp(a, 0.0, 30.0);
  const Pair square = MultiplyExactly(l, b, b);
  llvm::Value* e = EmitExp(l, square.high);
  llvm::Value* infinity = l.F(std::numeric_limits<double>::infinity());
  e = l.Select(l.Less(e, infinity), l.Fma(e, square.low, e), e);
  value = l.Select(l.Less(a, l.F(0.5)), l.Mul(e, EmitErfc(l, a)), value);
  return l.Select(l.Less(x, l.F(0.0)), l.Sub(l.Add(e, e), value), value);
}

}  // namespace quern
