// ldexp and nextafter.
#include "compiler/builtins/functions.h"

namespace quern {
namespace {

// 2^n for integral n of normal numbers.
llvm::Value* PowerOfTwo(const Lanes& l, llvm::Value* n) {
  llvm::IRBuilderBase& builder = l.builder();
  llvm::Value* integer = builder.CreateSub(l.RoundToInteger(n).integer,
                                           l.RoundToInteger(l.F(0.0)).integer);
  return l.FromBits(
      builder.CreateShl(builder.CreateAdd(integer, l.I(1023)), l.I(52)));
}

}  // namespace

llvm::Value* EmitLdexp(const Lanes& l, llvm::Value* x, llvm::Value* n) {
  llvm::IRBuilderBase& builder = l.builder();
  if (!l.is_double()) {
    // No power that matters leaves the doubles, so that one rounding remains.
    const Lanes wide(builder, l.double_type(), l.target());
    n = wide.Clamp(builder.CreateFPExt(n, wide.type()), -500.0, 500.0);
    x = builder.CreateFPExt(x, wide.type());
    return builder.CreateFPTrunc(wide.Mul(x, PowerOfTwo(wide, n)), l.type());
  }
  n = l.Clamp(n, -2200.0, 2200.0);
  // After a step down what is left is at most 2^-53: of a number that the step
  // made denormal, and so rounded, nothing is left to be rounded again.
  for (int i = 0; i < 2; ++i) {
    llvm::Value* step =
        l.Select(l.Greater(n, l.F(1023.0)), l.F(1023.0),
                 l.Select(l.Less(n, l.F(-1022.0)), l.F(-969.0), l.F(0.0)));
    x = l.Mul(x, PowerOfTwo(l, step));
    n = l.Sub(n, step);
  }
  return l.Mul(x, PowerOfTwo(l, l.Clamp(n, -1022.0, 1023.0)));
}

llvm::Value* EmitNextafter(const Lanes& l, llvm::Value* x, llvm::Value* y) {
  llvm::IRBuilderBase& builder = l.builder();
  llvm::Value* zero = l.F(0.0);
  // Magnitudes are ordered as their bits are.
  llvm::Value* is_away = builder.CreateICmpEQ(l.Less(x, y), l.Greater(x, zero));
  llvm::Value* bits = l.Bits(x);
  llvm::Value* next =
      l.FromBits(builder.CreateSelect(is_away, builder.CreateAdd(bits, l.I(1)),
                                      builder.CreateSub(bits, l.I(1))));
  llvm::Value* smallest = l.CopySign(l.FromBits(l.I(1)), y);
  next = l.Select(l.Equal(x, zero), smallest, next);
  next = l.Select(l.Equal(x, y), y, next);
  return l.Select(builder.CreateFCmpUNO(x, y), l.Add(x, y), next);
}

}  // namespace quern
