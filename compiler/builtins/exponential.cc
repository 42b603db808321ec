// exp, exp2 and expm1.
#include "compiler/builtins/functions.h"

namespace quern {
namespace {

// ln 2 in two parts, the first with zeros at its end so that its products
// with the integers that occur are exact.
constexpr double kLn2HighFloat = 0x1.62e4p-1;
constexpr double kLn2LowFloat = 0x1.7f7d1cp-20;
constexpr double kLn2HighDouble = 0x1.62e42feep-1;
constexpr double kLn2LowDouble = 0x1.a39ef35793c76p-33;
constexpr double kLog2E = 0x1.71547652b82fep+0;

// (exp(r) - 1 - r) / r^2 for |r| <= 0.3501.
constexpr double kExpFloat[] = {
    0x1.fffffcp-2, 0x1.55548ap-3, 0x1.555916p-5, 0x1.123fc8p-7, 0x1.6a1b04p-10,
};
constexpr double kExpDouble[] = {
    0x1.0000000000000p-1,  0x1.555555555555cp-3,  0x1.55555555554fap-5,
    0x1.111111110e95ep-7,  0x1.6c16c16c325fap-10, 0x1.a01a01b4ab5a3p-13,
    0x1.a01a013026df1p-16, 0x1.71dded27a5c35p-19, 0x1.27e5bbab181eep-22,
    0x1.af71235e72f6bp-26, 0x1.1e39b6d628d53p-29,
};

// (2^r - 1) / r for |r| <= 0.5.
constexpr double kExp2Float[] = {
    0x1.62e430p-1,  0x1.ebfbe0p-3,  0x1.c6b08ap-5,  0x1.3b29f4p-7,
    0x1.5d8a86p-10, 0x1.445ca6p-13, 0x1.fde584p-17,
};
constexpr double kExp2Double[] = {
    0x1.62e42fefa39efp-1,  0x1.ebfbdff82c58fp-3,  0x1.c6b08d704a0cfp-5,
    0x1.3b2ab6fba4e22p-7,  0x1.5d87fe78a26b0p-10, 0x1.430912f883db9p-13,
    0x1.ffcbfc74de56dp-17, 0x1.62c021e249257p-20, 0x1.b524dd42688acp-24,
    0x1.e4d06cd2811a0p-28, 0x1.ea016dae89d13p-32, 0x1.c2ce51f48464fp-36,
};

// exp(x) is (1 + expm1) 2^n.
struct Reduced {
  Lanes::Rounded n;
  llvm::Value* expm1;
};

Reduced Reduce(const Lanes& l, llvm::Value* x) {
  const bool d = l.is_double();
  const Lanes::Rounded n = l.RoundToInteger(l.Mul(x, l.F(kLog2E)));
  llvm::Value* r = l.Fma(n.value, l.F(d ? -kLn2HighDouble : -kLn2HighFloat), x);
  r = l.Fma(n.value, l.F(d ? -kLn2LowDouble : -kLn2LowFloat), r);
  llvm::Value* q = d ? l.Polynomial(r, kExpDouble) : l.Polynomial(r, kExpFloat);
  return {n, l.Fma(l.Mul(r, r), q, r)};
}

// Beyond these bounds the result is 0 or infinity, and stays so at them.
llvm::Value* ClampToRange(const Lanes& l, llvm::Value* x) {
  return l.is_double() ? l.Clamp(x, -746.0, 711.0) : l.Clamp(x, -104.0, 90.0);
}

}  // namespace

llvm::Value* EmitExp(const Lanes& l, llvm::Value* x) {
  const Reduced reduced = Reduce(l, ClampToRange(l, x));
  return l.Scale(l.Add(reduced.expm1, l.F(1.0)), reduced.n);
}

llvm::Value* EmitScaledExp(const Lanes& l, llvm::Value* x, double factor) {
  const Reduced reduced = Reduce(l, ClampToRange(l, x));
  llvm::Value* p = l.Fma(reduced.expm1, l.F(factor), l.F(factor));
  return l.Scale(p, reduced.n);
}

llvm::Value* EmitExpm1(const Lanes& l, llvm::Value* x) {
  const bool d = l.is_double();
  // Below, the result is -1; above, it is infinite while half of it is not.
  const Reduced reduced =
      Reduce(l, d ? l.Clamp(x, -50.0, 710.0) : l.Clamp(x, -30.0, 89.0));
  // Half the power, so that it is finite where the result still is.
  llvm::Value* half = l.Scale(l.F(0.5), reduced.n);
  llvm::Value* sum = l.Fma(half, reduced.expm1, l.Sub(half, l.F(0.5)));
  return l.CopySign(l.Add(sum, sum), x);  // For -0.
}

llvm::Value* EmitExp2(const Lanes& l, llvm::Value* x) {
  return EmitExp2OfPair(l, x, l.F(0.0));
}

llvm::Value* EmitExp2OfPair(const Lanes& l, llvm::Value* high,
                            llvm::Value* low) {
  const bool d = l.is_double();
  high = d ? l.Clamp(high, -1080.0, 1025.0) : l.Clamp(high, -152.0, 129.0);
  const Lanes::Rounded n = l.RoundToInteger(high);
  llvm::Value* r = l.Sub(high, n.value);
  if (!llvm::isa<llvm::Constant>(low)) r = l.Add(r, low);
  llvm::Value* q =
      d ? l.Polynomial(r, kExp2Double) : l.Polynomial(r, kExp2Float);
  return l.Scale(l.Fma(r, q, l.F(1.0)), n);
}

}  // namespace quern
