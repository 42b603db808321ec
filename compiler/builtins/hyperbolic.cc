// sinh, cosh and tanh, by exp and expm1 of the magnitude.
#include "compiler/builtins/functions.h"

namespace quern {

llvm::Value* EmitSinh(const Lanes& l, llvm::Value* x) {
  llvm::Value* magnitude = l.Abs(x);
  // With E = expm1|x|: (E + E / (E + 1)) / 2; no digits cancel.
  llvm::Value* e = EmitExpm1(l, magnitude);
  llvm::Value* small = l.Mul(l.F(0.5), l.Add(e, l.Div(e, l.Add(e, l.F(1.0)))));
  // From here on the other exponential is below the last place.
  llvm::Value* large = EmitScaledExp(l, magnitude, 0.5);
  llvm::Value* is_large = l.Greater(magnitude, l.F(20.0));
  return l.CopySign(l.Select(is_large, large, small), x);
}

llvm::Value* EmitCosh(const Lanes& l, llvm::Value* x) {
  llvm::Value* half = EmitScaledExp(l, l.Abs(x), 0.5);
  return l.Add(half, l.Div(l.F(0.25), half));
}

llvm::Value* EmitTanh(const Lanes& l, llvm::Value* x) {
  llvm::Value* magnitude = l.Clamp(l.Abs(x), 0.0, 25.0);
  llvm::Value* e = EmitExpm1(l, l.Add(magnitude, magnitude));
  return l.CopySign(l.Div(e, l.Add(e, l.F(2.0))), x);
}

}  // namespace quern
