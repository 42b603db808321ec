// log, log2, log10 and log1p.
//
// x = 2^e (1 + f) with 1 + f within [sqrt(1/2), sqrt(2)). With s = f / (2 + f),
// log(1 + f) = log((1 + s) / (1 - s)) = f - f^2/2 + s (f^2/2 + R(s^2)).
#include <cstdint>
#include <limits>

#include "compiler/builtins/coefficients.h"
#include "compiler/builtins/functions.h"

namespace quern {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The high parts end in zeros: their products with exponents are exact.
constexpr double kLn2HighFloat = 0x1.62e4p-1;
constexpr double kLn2LowFloat = 0x1.7f7d1cp-20;
constexpr double kLn2HighDouble = 0x1.62e42feep-1;
constexpr double kLn2LowDouble = 0x1.a39ef35793c76p-33;
constexpr double kLog10Of2HighFloat = 0x1.344p-2;
constexpr double kLog10Of2LowFloat = 0x1.3509f8p-18;
constexpr double kLog10Of2HighDouble = 0x1.34413509f6p-2;
constexpr double kLog10Of2LowDouble = 0x1.9fef311f12b36p-42;

// 1 / ln 2 and 1 / ln 10 in two parts.
constexpr double kLog2OfEFloat[] = {0x1.715476p+0, 0x1.4ae0cp-26};
constexpr double kLog2OfEDouble[] = {0x1.71547652b82fep+0,
                                     0x1.777d0ffda0d24p-56};
constexpr double kLog10OfEFloat[] = {0x1.bcb7b2p-2, -0x1.5b235ep-27};
constexpr double kLog10OfEDouble[] = {0x1.bcb7b1526e50ep-2,
                                      0x1.95355baaafad3p-57};

// The parts of log(1 + f): f - half_square + rest, and what they are made of.
struct Parts {
  llvm::Value* exponent;
  llvm::Value* f;
  llvm::Value* half_square;
  llvm::Value* rest;
  llvm::Value* s;
  llvm::Value* r;
};

Parts Reduce(const Lanes& l, llvm::Value* x) {
  const bool d = l.is_double();
  const unsigned mantissa = d ? 52 : 23;
  llvm::IRBuilderBase& builder = l.builder();
  // Denormals are scaled up first.
  llvm::Value* is_tiny = l.Less(x, l.F(d ? 0x1p-1022 : 0x1p-126));
  const double scale = d ? 0x1p54 : 0x1p25;
  llvm::Value* bits = l.Bits(l.Select(is_tiny, l.Mul(x, l.F(scale)), x));
  llvm::Value* sqrt_half = l.I(d ? 0x3fe6a09e667f3bcd : 0x3f3504f3);
  llvm::Value* exponent =
      builder.CreateAShr(builder.CreateSub(bits, sqrt_half), l.I(mantissa));
  llvm::Value* m = l.FromBits(
      builder.CreateSub(bits, builder.CreateShl(exponent, l.I(mantissa))));
  // An integer becomes a float by way of the bits of 1.5 x 2^mantissa.
  llvm::Value* shift = l.F(d ? 0x1.8p52 : 0x1.8p23);
  llvm::Value* e =
      l.Sub(l.FromBits(builder.CreateAdd(exponent, l.Bits(shift))), shift);
  e = l.Sub(e, l.Select(is_tiny, l.F(d ? 54.0 : 25.0), l.F(0.0)));

  llvm::Value* f = l.Sub(m, l.F(1.0));
  llvm::Value* half_square = l.Mul(l.Mul(l.F(0.5), f), f);
  llvm::Value* s = l.Div(f, l.Add(f, l.F(2.0)));
  llvm::Value* z = l.Mul(s, s);
  llvm::Value* r =
      l.Mul(z, d ? l.Polynomial(z, kLogDouble) : l.Polynomial(z, kLogFloat));
  return {e, f, half_square, l.Mul(s, l.Add(half_square, r)), s, r};
}

// What rounding lost in `half_square` and `rest`: to be added to their sum.
llvm::Value* LostIn(const Lanes& l, const Parts& parts) {
  llvm::Value* f = parts.f;
  llvm::Value* s = parts.s;
  llvm::Value* square_lost =
      l.Fma(l.Mul(l.F(0.5), f), f, l.Neg(parts.half_square));
  // f - s (2 + f), over 2 + f.
  llvm::Value* divisor = l.Add(f, l.F(2.0));
  llvm::Value* divisor_lost = l.Sub(f, l.Sub(divisor, l.F(2.0)));
  llvm::Value* remainder = l.Fma(l.Neg(s), divisor, f);
  remainder = l.Fma(l.Neg(s), divisor_lost, remainder);
  llvm::Value* s_lost = l.Div(remainder, divisor);
  llvm::Value* q = l.Add(parts.half_square, parts.r);
  llvm::Value* q_lost =
      l.Add(l.Sub(parts.r, l.Sub(q, parts.half_square)), square_lost);
  llvm::Value* lost = l.Fma(s, q, l.Neg(parts.rest));
  lost = l.Fma(s, q_lost, l.Fma(s_lost, q, lost));
  return l.Sub(lost, square_lost);
}

// e ln 2 + log(1 + f) + correction.
llvm::Value* NaturalSum(const Lanes& l, const Parts& parts,
                        llvm::Value* correction) {
  const bool d = l.is_double();
  llvm::Value* low =
      l.Fma(parts.exponent, l.F(d ? kLn2LowDouble : kLn2LowFloat), parts.rest);
  if (correction != nullptr) low = l.Add(low, correction);
  llvm::Value* sum = l.Sub(parts.f, l.Sub(parts.half_square, low));
  return l.Fma(parts.exponent, l.F(d ? kLn2HighDouble : kLn2HighFloat), sum);
}

// `value` times a number in two parts, such as 1 / log(base). The second part
// of the result is the smaller, but not by much.
Pair TimesParts(const Lanes& l, const Pair& value, const double (&parts)[2]) {
  llvm::Value* first = l.F(parts[0]);
  const Pair product = MultiplyExactly(l, value.high, first);
  llvm::Value* rest = l.Fma(value.low, first, l.Mul(value.high, l.F(parts[1])));
  return {product.high, l.Add(product.low, rest)};
}

// log(1 + f) / log(base) as a sum, by 1 / log(base) in two parts.
Pair InBase(const Lanes& l, const Parts& parts, const double (&inverse)[2]) {
  llvm::Value* high = l.Sub(parts.f, parts.half_square);
  llvm::Value* low =
      l.Add(l.Sub(l.Sub(parts.f, high), parts.half_square), parts.rest);
  return TimesParts(l, {high, low}, inverse);
}

// a + b as a pair, for |a| >= |b| or a = 0.
Pair AddLarger(const Lanes& l, llvm::Value* a, llvm::Value* b) {
  llvm::Value* sum = l.Add(a, b);
  return {sum, l.Add(l.Sub(a, sum), b)};
}

// What the sums above do not give: zero, infinity, negative numbers and NaN.
llvm::Value* WithSpecials(const Lanes& l, llvm::Value* x, llvm::Value* result) {
  result = l.Select(l.Equal(x, l.F(kInfinity)), x, result);
  result = l.Select(l.Equal(x, l.F(0.0)), l.F(-kInfinity), result);
  llvm::Value* is_wrong = l.builder().CreateFCmpULT(x, l.F(0.0));
  return l.Select(is_wrong, l.F(kNan), result);
}

}  // namespace

llvm::Value* EmitLog(const Lanes& l, llvm::Value* x) {
  return WithSpecials(l, x, NaturalSum(l, Reduce(l, x), nullptr));
}

Pair EmitLog2Pair(const Lanes& l, llvm::Value* x) {
  const Parts parts = Reduce(l, x);
  // log(1 + f) as a pair, then times 1 / ln 2.
  const Pair first = AddLarger(l, parts.f, l.Neg(parts.half_square));
  const Pair second = AddLarger(l, first.high, parts.rest);
  llvm::Value* low = l.Add(second.low, l.Add(first.low, LostIn(l, parts)));
  const double(&inverse)[2] = l.is_double() ? kLog2OfEDouble : kLog2OfEFloat;
  const Pair product = TimesParts(l, {second.high, low}, inverse);
  const Pair sum = AddLarger(l, parts.exponent, product.high);
  return AddLarger(l, sum.high, l.Add(sum.low, product.low));
}

llvm::Value* EmitLog2(const Lanes& l, llvm::Value* x) {
  const Parts parts = Reduce(l, x);
  const Pair fraction =
      InBase(l, parts, l.is_double() ? kLog2OfEDouble : kLog2OfEFloat);
  const Pair sum = AddLarger(l, parts.exponent, fraction.high);
  return WithSpecials(l, x, l.Add(sum.high, l.Add(sum.low, fraction.low)));
}

llvm::Value* EmitLog10(const Lanes& l, llvm::Value* x) {
  const bool d = l.is_double();
  const Parts parts = Reduce(l, x);
  const Pair fraction = InBase(l, parts, d ? kLog10OfEDouble : kLog10OfEFloat);
  llvm::Value* whole =
      l.Mul(parts.exponent, l.F(d ? kLog10Of2HighDouble : kLog10Of2HighFloat));
  const Pair sum = AddLarger(l, whole, fraction.high);
  llvm::Value* low =
      l.Fma(parts.exponent, l.F(d ? kLog10Of2LowDouble : kLog10Of2LowFloat),
            fraction.low);
  return WithSpecials(l, x, l.Add(sum.high, l.Add(sum.low, low)));
}

llvm::Value* EmitLog1p(const Lanes& l, llvm::Value* x) {
  // u = 1 + x, and what rounding it lost, whichever of the two is larger.
  llvm::Value* one = l.F(1.0);
  llvm::Value* u = l.Add(one, x);
  llvm::Value* back = l.Sub(u, one);
  llvm::Value* lost = l.Add(l.Sub(x, back), l.Sub(one, l.Sub(u, back)));
  llvm::Value* result = NaturalSum(l, Reduce(l, u), l.Div(lost, u));
  result = WithSpecials(l, u, result);
  return l.Select(l.Equal(x, l.F(0.0)), x, result);  // For -0.
}

}  // namespace quern
