// asinh, acosh and atanh, by log1p of arguments in which no digits cancel.
#include <limits>

#include "compiler/builtins/functions.h"

namespace quern {
namespace {

constexpr double kLogOfTwo = 0x1.62e42fefa39efp-1;

// From here on 1 is nothing beside x, and no square overflows below.
constexpr double kLarge = 0x1p60;

// log1p(small), or for large magnitudes log(2 magnitude).
llvm::Value* LogOfSum(const Lanes& l, llvm::Value* small,
                      llvm::Value* magnitude) {
  llvm::Value* is_large = l.Greater(magnitude, l.F(kLarge));
  llvm::Value* log = EmitLog1p(l, l.Select(is_large, magnitude, small));
  return l.Select(is_large, l.Add(log, l.F(kLogOfTwo)), log);
}

}  // namespace

llvm::Value* EmitAsinh(const Lanes& l, llvm::Value* x) {
  if (!l.is_double()) return EmitInDoubles(l, EmitAsinh, x);
  llvm::Value* a = l.Abs(x);
  llvm::Value* square = l.Mul(a, a);
  llvm::Value* root = l.Sqrt(l.Add(square, l.F(1.0)));
  llvm::Value* small = l.Add(a, l.Div(square, l.Add(root, l.F(1.0))));
  return l.CopySign(LogOfSum(l, small, a), x);
}

llvm::Value* EmitAcosh(const Lanes& l, llvm::Value* x) {
  if (!l.is_double()) return EmitInDoubles(l, EmitAcosh, x);
  llvm::Value* t = l.Sub(x, l.F(1.0));
  llvm::Value* root = l.Sqrt(l.Fma(t, t, l.Add(t, t)));
  llvm::Value* result = LogOfSum(l, l.Add(t, root), x);
  return l.Select(l.Less(x, l.F(1.0)),
                  l.F(std::numeric_limits<double>::quiet_NaN()), result);
}

llvm::Value* EmitAtanh(const Lanes& l, llvm::Value* x) {
  if (!l.is_double()) return EmitInDoubles(l, EmitAtanh, x);
  llvm::Value* a = l.Abs(x);
  llvm::Value* ratio = l.Div(l.Add(a, a), l.Sub(l.F(1.0), a));
  return l.CopySign(l.Mul(l.F(0.5), EmitLog1p(l, ratio)), x);
}

}  // namespace quern
