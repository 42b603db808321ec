// The logarithm of the magnitude of the gamma function.
//
// Between 1.5 and 2.5 it is (x - 2) times a polynomial. Up to 8.5 x is moved
// there by whole steps, for each of which a factor is taken out; beyond,
// Stirling's series holds. Below 1/2 the reflection 1 - x is looked up.
#include <limits>

#include "compiler/builtins/coefficients.h"
#include "compiler/builtins/functions.h"

namespace quern {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLogOfPi = 0x1.250d048e7a1bdp+0;
// log(2 pi) / 2 - 1 / 2.
constexpr double kStirlingConstant = 0x1.acfe390c97d69p-2;

// For x from 1/2 to 8.5.
llvm::Value* MediumLgamma(const Lanes& l, llvm::Value* x) {
  constexpr int kStepsMax = 6;
  x = l.Clamp(x, 0.5, 8.5);
  llvm::Value* steps = l.Sub(l.Unary(llvm::Intrinsic::roundeven, x), l.F(2.0));
  steps = l.Clamp(steps, -1.0, kStepsMax);
  llvm::Value* product = l.F(1.0);
  for (int i = 1; i <= kStepsMax; ++i) {
    llvm::Value* longer = l.Mul(product, l.Sub(x, l.F(i)));
    product = l.Select(l.Less(steps, l.F(i)), product, longer);
  }
  llvm::Value* is_up = l.Less(steps, l.F(0.0));
  llvm::Value* log = EmitLog(l, l.Select(is_up, x, product));
  log = l.Select(is_up, l.Neg(log), log);
  llvm::Value* e = l.Sub(l.Sub(x, steps), l.F(2.0));
  return l.Fma(e, l.Polynomial(e, kLgammaNearTwo), log);
}

// For x >= 8.5.
llvm::Value* LargeLgamma(const Lanes& l, llvm::Value* x) {
  llvm::Value* inverse = l.Div(l.F(1.0), x);
  llvm::Value* series =
      l.Mul(inverse, l.Polynomial(l.Mul(inverse, inverse), kStirling));
  llvm::Value* log = l.Sub(EmitLog(l, x), l.F(1.0));
  return l.Fma(l.Sub(x, l.F(0.5)), log, l.Add(series, l.F(kStirlingConstant)));
}

}  // namespace

llvm::Value* EmitLgamma(const Lanes& l, llvm::Value* x) {
  if (!l.is_double()) return EmitInDoubles(l, EmitLgamma, x);
  llvm::Value* is_low = l.Less(x, l.F(0.5));
  llvm::Value* a = l.Select(is_low, l.Sub(l.F(1.0), x), x);
  llvm::Value* value =
      l.Select(l.Greater(a, l.F(8.5)), LargeLgamma(l, a), MediumLgamma(l, a));

  llvm::Value* sine = l.Abs(EmitSinpi(l, x));
  llvm::Value* reflected = l.Sub(l.Sub(l.F(kLogOfPi), EmitLog(l, sine)), value);
  reflected = l.Select(l.Equal(sine, l.F(0.0)), l.F(kInfinity), reflected);
  value = l.Select(is_low, reflected, value);
  // So near to zero the function is a logarithm, and denormals stay exact.
  llvm::Value* magnitude = l.Abs(x);
  value = l.Select(l.Less(magnitude, l.F(0x1p-60)),
                   l.Neg(EmitLog(l, magnitude)), value);
  value = l.Select(l.Equal(magnitude, l.F(kInfinity)), magnitude, value);
  return l.Select(l.IsNan(x), x, value);
}

}  // namespace quern
