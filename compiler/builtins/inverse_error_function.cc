// erfinv: an estimate, and two steps of Halley's, each of which makes a third
// of the digits all.
#include <limits>

#include "compiler/builtins/functions.h"

namespace quern {
namespace {

constexpr double kTwoBySqrtPi = 0x1.20dd750429b6dp+0;
constexpr double kHalfSqrtPi = 0x1.c5bf891b4ef6ap-1;

// 0 <= a < 1, to two digits or more: erf(y)^2 is about
// 1 - exp(-y^2 (4/pi + c y^2) / (1 + c y^2)), solved for y.
llvm::Value* Estimate(const Lanes& l, llvm::Value* a) {
  constexpr double kC = 0.147;
  constexpr double kTwoByPiC = 2.0 / (3.141592653589793 * kC);
  llvm::Value* log = EmitLog(l, l.Mul(l.Sub(l.F(1.0), a), l.Add(l.F(1.0), a)));
  llvm::Value* t = l.Fma(log, l.F(0.5), l.F(kTwoByPiC));
  llvm::Value* product = l.Mul(log, l.F(-1.0 / kC));
  llvm::Value* root = l.Sqrt(l.Fma(t, t, product));
  // Where t is positive, root - t would lose digits.
  llvm::Value* square = l.Select(
      l.Greater(t, l.F(0.0)), l.Div(product, l.Add(root, t)), l.Sub(root, t));
  return l.Select(l.Less(a, l.F(1e-3)), l.Mul(a, l.F(kHalfSqrtPi)),
                  l.Sqrt(square));
}

}  // namespace

llvm::Value* EmitErfinv(const Lanes& l, llvm::Value* x) {
  if (!l.is_double()) return EmitInDoubles(l, EmitErfinv, x);
  llvm::Value* a = l.Abs(x);
  llvm::Value* y = Estimate(l, a);
  llvm::Value* is_low = l.Less(a, l.F(0.5));
  for (int i = 0; i < 2; ++i) {
    // Close to 1, it is the difference from 1 that has the digits.
    llvm::Value* excess = l.Select(is_low, l.Sub(EmitErf(l, y), a),
                                   l.Sub(l.Sub(l.F(1.0), a), EmitErfc(l, y)));
    llvm::Value* slope =
        l.Mul(l.F(kTwoBySqrtPi), EmitExp(l, l.Neg(l.Mul(y, y))));
    llvm::Value* r = l.Div(excess, slope);
    y = l.Sub(y, l.Div(r, l.Fma(r, y, l.F(1.0))));
  }
  y = l.Select(l.Less(a, l.F(0x1p-27)), l.Mul(a, l.F(kHalfSqrtPi)), y);
  y = l.Select(l.Equal(a, l.F(1.0)),
               l.F(std::numeric_limits<double>::infinity()), y);
  y = l.Select(l.Greater(a, l.F(1.0)),
               l.F(std::numeric_limits<double>::quiet_NaN()), y);
  return l.CopySign(y, x);
}

}  // namespace quern
