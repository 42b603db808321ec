// erf and erfc.
//
// Up to 1 erf is a polynomial; beyond, erfc is exp(-x^2) times a smooth
// function of (x - c) / (x + c).
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

// erfc(a) for a >= 1/2; anything for smaller a.
llvm::Value* LargeErfc(const Lanes& l, llvm::Value* a) {
  const bool d = l.is_double();
  // Beyond, the result is 0.
  a = l.Clamp(a, 0.0, d ? 27.5 : 10.2);
  llvm::Value* square = l.Mul(a, a);
  llvm::Value* lost = l.Fma(a, a, l.Neg(square));
  llvm::Value* e = EmitExp(l, l.Neg(square));
  e = l.Fma(l.Neg(e), lost, e);
  llvm::Value* c = l.F(d ? 4.0 : 2.0);
  llvm::Value* q = l.Div(l.Sub(a, c), l.Add(a, c));
  llvm::Value* p =
      d ? l.Polynomial(q, kErfcxDouble) : l.Polynomial(q, kErfcxFloat);
  return l.Mul(l.Div(p, l.Fma(a, l.F(2.0), l.F(1.0))), e);
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

}  // namespace quern
