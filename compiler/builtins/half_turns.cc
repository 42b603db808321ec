// sin and cos of multiples of pi.
//
// x is an integer of quarters, and a rest of at most a quarter, both exact.
#include "compiler/builtins/functions.h"

namespace quern {
namespace {

constexpr double kPi = 0x1.921fb54442d18p+1;

struct Quarters {
  llvm::Value* count;  // -2, -1, 0, 1 or 2.
  llvm::Value* sin;    // Of the rest.
  llvm::Value* cos;
};

Quarters Split(const Lanes& l, llvm::Value* x) {
  auto rounded = [&](llvm::Value* value) {
    return l.Unary(llvm::Intrinsic::roundeven, value);
  };
  // A whole turn, 2, changes nothing. Infinity becomes NaN.
  llvm::Value* turns = rounded(l.Mul(x, l.F(0.5)));
  llvm::Value* r = l.Fma(turns, l.F(-2.0), x);
  llvm::Value* count = rounded(l.Add(r, r));
  llvm::Value* rest = l.Mul(l.Fma(count, l.F(-0.5), r), l.F(kPi));
  return {count, EmitSin(l, rest), EmitCos(l, rest)};
}

// The value for a count of 0, 1, -1, and of 2 or -2; NaN for NaN.
llvm::Value* Choose(const Lanes& l, const Quarters& q, llvm::Value* none,
                    llvm::Value* one, llvm::Value* minus_one) {
  llvm::Value* value = l.Select(l.Equal(q.count, l.F(1.0)), one, none);
  value = l.Select(l.Equal(q.count, l.F(-1.0)), minus_one, value);
  llvm::Value* is_half = l.Equal(l.Abs(q.count), l.F(2.0));
  return l.Select(is_half, l.Neg(none), value);
}

}  // namespace

llvm::Value* EmitSinpi(const Lanes& l, llvm::Value* x) {
  if (!l.is_double()) return EmitInDoubles(l, EmitSinpi, x);
  const Quarters q = Split(l, x);
  llvm::Value* value = Choose(l, q, q.sin, q.cos, l.Neg(q.cos));
  // A zero has the sign of x.
  return l.Select(l.Equal(value, l.F(0.0)), l.CopySign(value, x), value);
}

llvm::Value* EmitCospi(const Lanes& l, llvm::Value* x) {
  if (!l.is_double()) return EmitInDoubles(l, EmitCospi, x);
  const Quarters q = Split(l, x);
  // Adding zero makes a zero positive.
  return l.Add(Choose(l, q, q.cos, l.Neg(q.sin), q.sin), l.F(0.0));
}

}  // namespace quern
