// cbrt and hypot.
#include <limits>

#include "compiler/builtins/functions.h"

namespace quern {

llvm::Value* EmitCbrt(const Lanes& l, llvm::Value* x) {
  if (!l.is_double()) return EmitInDoubles(l, EmitCbrt, x);
  // Neither the cube of the root nor its error may be denormal.
  llvm::Value* a = l.Abs(x);
  llvm::Value* is_tiny = l.Less(a, l.F(0x1p-800));
  llvm::Value* scaled = l.Select(is_tiny, l.Mul(a, l.F(0x1p300)), a);
  llvm::Value* y = EmitPow(l, scaled, l.F(1.0 / 3.0));
  // One step of Newton's.
  const Pair square = MultiplyExactly(l, y, y);
  llvm::Value* excess =
      l.Fma(square.low, y, l.Fma(square.high, y, l.Neg(scaled)));
  llvm::Value* root = l.Sub(y, l.Div(excess, l.Mul(l.F(3.0), square.high)));
  root = l.Select(is_tiny, l.Mul(root, l.F(0x1p-100)), root);
  // Zero and infinity are their own roots.
  llvm::Value* infinity = l.F(std::numeric_limits<double>::infinity());
  root = l.Select(l.Equal(a, l.F(0.0)), a, root);
  root = l.Select(l.Equal(a, infinity), a, root);
  return l.CopySign(root, x);
}

llvm::Value* EmitHypot(const Lanes& l, llvm::Value* x, llvm::Value* y) {
  llvm::IRBuilderBase& builder = l.builder();
  if (!l.is_double()) {
    // No square of floats overflows, or loses digits, as a double.
    const Lanes wide(builder, l.double_type(), l.target());
    llvm::Value* result = EmitHypot(wide, builder.CreateFPExt(x, wide.type()),
                                    builder.CreateFPExt(y, wide.type()));
    return builder.CreateFPTrunc(result, l.type());
  }
  x = l.Abs(x);
  y = l.Abs(y);
  llvm::Value* larger = l.Select(l.Greater(y, x), y, x);
  llvm::Value* is_large = l.Greater(larger, l.F(0x1p510));
  llvm::Value* is_small = l.Less(larger, l.F(0x1p-400));
  auto scale_by = [&](double large, double small) {
    return l.Select(is_large, l.F(large),
                    l.Select(is_small, l.F(small), l.F(1.0)));
  };
  llvm::Value* scale = scale_by(0x1p-600, 0x1p600);
  llvm::Value* a = l.Mul(x, scale);
  llvm::Value* b = l.Mul(y, scale);
  llvm::Value* root = l.Sqrt(l.Fma(a, a, l.Mul(b, b)));
  root = l.Mul(root, scale_by(0x1p600, 0x1p-600));
  // An infinite side outweighs NaN.
  llvm::Value* infinity = l.F(std::numeric_limits<double>::infinity());
  llvm::Value* is_infinite =
      builder.CreateOr(l.Equal(x, infinity), l.Equal(y, infinity));
  return l.Select(is_infinite, infinity, root);
}

}  // namespace quern
