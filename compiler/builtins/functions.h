// The families of functions behind EmitMath. Not for use outside this folder.
#ifndef QUERN_COMPILER_BUILTINS_FUNCTIONS_H_
#define QUERN_COMPILER_BUILTINS_FUNCTIONS_H_

#include "compiler/builtins/lanes.h"

namespace quern {

// A number of twice the digits: high + low.
struct Pair {
  llvm::Value* high;
  llvm::Value* low;
};

// a b, rounded, and what rounding took.
inline Pair MultiplyExactly(const Lanes& l, llvm::Value* a, llvm::Value* b) {
  llvm::Value* product = l.Mul(a, b);
  return {product, l.Fma(a, b, l.Neg(product))};
}

// The same function of the same numbers as doubles, rounded once more.
llvm::Value* EmitInDoubles(const Lanes& l,
                           llvm::Value* (*emit)(const Lanes&, llvm::Value*),
                           llvm::Value* x);

// exponential.cc
llvm::Value* EmitExp(const Lanes& l, llvm::Value* x);
llvm::Value* EmitExp2(const Lanes& l, llvm::Value* x);
// `factor` times exp(x), for a factor within [1/2, 1]: no overflow before the
// product's.
llvm::Value* EmitScaledExp(const Lanes& l, llvm::Value* x, double factor);
// 2^(high + low), for |low| <= 2^-10 or so. Saves what rounding `high` lost.
llvm::Value* EmitExp2OfPair(const Lanes& l, llvm::Value* high,
                            llvm::Value* low);
llvm::Value* EmitExpm1(const Lanes& l, llvm::Value* x);

// hyperbolic.cc
llvm::Value* EmitSinh(const Lanes& l, llvm::Value* x);
llvm::Value* EmitCosh(const Lanes& l, llvm::Value* x);
llvm::Value* EmitTanh(const Lanes& l, llvm::Value* x);

// inverse_hyperbolic.cc
llvm::Value* EmitAsinh(const Lanes& l, llvm::Value* x);
llvm::Value* EmitAcosh(const Lanes& l, llvm::Value* x);
llvm::Value* EmitAtanh(const Lanes& l, llvm::Value* x);

// logarithm.cc
llvm::Value* EmitLog(const Lanes& l, llvm::Value* x);
llvm::Value* EmitLog2(const Lanes& l, llvm::Value* x);
llvm::Value* EmitLog10(const Lanes& l, llvm::Value* x);
llvm::Value* EmitLog1p(const Lanes& l, llvm::Value* x);
// log2(x), for finite x > 0; anything otherwise.
Pair EmitLog2Pair(const Lanes& l, llvm::Value* x);

// power.cc
llvm::Value* EmitPow(const Lanes& l, llvm::Value* x, llvm::Value* y);

// roots.cc
llvm::Value* EmitCbrt(const Lanes& l, llvm::Value* x);
llvm::Value* EmitHypot(const Lanes& l, llvm::Value* x, llvm::Value* y);

// float_bits.cc
llvm::Value* EmitLdexp(const Lanes& l, llvm::Value* x, llvm::Value* n);
llvm::Value* EmitNextafter(const Lanes& l, llvm::Value* x, llvm::Value* y);

// angle.cc
// |x| = quadrant x pi/2 + high + low, with |high| <= pi/4 and a little.
struct Angle {
  llvm::Value* high;
  llvm::Value* low;
  llvm::Value* quadrant;  // Bits; only the lowest two count.
};
Angle EmitAngle(const Lanes& l, llvm::Value* x);

// trigonometric.cc
llvm::Value* EmitSin(const Lanes& l, llvm::Value* x);
llvm::Value* EmitCos(const Lanes& l, llvm::Value* x);
llvm::Value* EmitTan(const Lanes& l, llvm::Value* x);

// half_turns.cc
llvm::Value* EmitSinpi(const Lanes& l, llvm::Value* x);
llvm::Value* EmitCospi(const Lanes& l, llvm::Value* x);

// inverse_trigonometric.cc
llvm::Value* EmitAsin(const Lanes& l, llvm::Value* x);
llvm::Value* EmitAcos(const Lanes& l, llvm::Value* x);
llvm::Value* EmitAtan(const Lanes& l, llvm::Value* x);
llvm::Value* EmitAtan2(const Lanes& l, llvm::Value* y, llvm::Value* x);

// error_function.cc
llvm::Value* EmitErf(const Lanes& l, llvm::Value* x);
llvm::Value* EmitErfc(const Lanes& l, llvm::Value* x);
llvm::Value* EmitErfcx(const Lanes& l, llvm::Value* x);

// inverse_error_function.cc
llvm::Value* EmitErfinv(const Lanes& l, llvm::Value* x);

// gamma.cc
llvm::Value* EmitLgamma(const Lanes& l, llvm::Value* x);

}  // namespace quern

#endif  // QUERN_COMPILER_BUILTINS_FUNCTIONS_H_
