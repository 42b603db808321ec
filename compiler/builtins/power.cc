// pow: 2^(y log2 x), with the logarithm and the product kept as pairs.
#include <limits>

#include "compiler/builtins/functions.h"

namespace quern {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// |x|^y.
llvm::Value* PowerOfMagnitude(const Lanes& l, llvm::Value* magnitude,
                              llvm::Value* y) {
  const Pair log = EmitLog2Pair(l, magnitude);
  llvm::Value* high = l.Mul(y, log.high);
  llvm::Value* low = l.Fma(y, log.low, l.Fma(y, log.high, l.Neg(high)));
  // Beyond the range of results only the sign of `high` counts.
  low = l.Select(l.Less(l.Abs(high), l.F(2000.0)), low, l.F(0.0));
  llvm::Value* power = EmitExp2OfPair(l, high, low);

  // Zero and infinity swap places when y is negative.
  llvm::Value* zero = l.F(0.0);
  llvm::Value* infinity = l.F(kInfinity);
  llvm::Value* y_negative = l.Less(y, zero);
  power = l.Select(l.Equal(magnitude, zero),
                   l.Select(y_negative, infinity, zero), power);
  power = l.Select(l.Equal(magnitude, infinity),
                   l.Select(y_negative, zero, infinity), power);
  return power;
}

// Everything but NaN arguments.
llvm::Value* PowerOfNumbers(const Lanes& l, llvm::Value* x, llvm::Value* y) {
  llvm::IRBuilderBase& builder = l.builder();
  llvm::Value* one = l.F(1.0);
  llvm::Value* magnitude = l.Abs(x);
  llvm::Value* power = PowerOfMagnitude(l, magnitude, y);
  // Also of an infinite y.
  power = l.Select(l.Equal(magnitude, one), one, power);

  auto is_whole = [&](llvm::Value* value) {
    return l.Equal(l.Unary(llvm::Intrinsic::trunc, value), value);
  };
  llvm::Value* y_whole = is_whole(y);
  llvm::Value* y_odd = builder.CreateAnd(
      y_whole, builder.CreateNot(is_whole(l.Mul(y, l.F(0.5)))));
  power = l.Select(y_odd, l.CopySign(power, x), power);
  // A negative number has no fractional power.
  llvm::Value* undefined = builder.CreateAnd(
      builder.CreateAnd(l.Less(x, l.F(0.0)), builder.CreateNot(y_whole)),
      l.Less(magnitude, l.F(kInfinity)));
  return l.Select(undefined, l.F(std::numeric_limits<double>::quiet_NaN()),
                  power);
}

}  // namespace

llvm::Value* EmitPow(const Lanes& l, llvm::Value* x, llvm::Value* y) {
  llvm::IRBuilderBase& builder = l.builder();
  if (!l.is_double()) {
    const Lanes wide(builder, l.double_type(), l.target());
    llvm::Value* power = EmitPow(wide, builder.CreateFPExt(x, wide.type()),
                                 builder.CreateFPExt(y, wide.type()));
    return builder.CreateFPTrunc(power, l.type());
  }
  llvm::Value* power = PowerOfNumbers(l, x, y);
  power = l.Select(builder.CreateFCmpUNO(x, y), l.Add(x, y), power);
  llvm::Value* is_one =
      builder.CreateOr(l.Equal(x, l.F(1.0)), l.Equal(y, l.F(0.0)));
  return l.Select(is_one, l.F(1.0), power);
}

}  // namespace quern
