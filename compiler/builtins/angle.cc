// Reduction of an angle of any size to within pi/4 of a multiple of pi/2.
//
// |x| = m 2^e for integers m. A table holds, for every e that occurs, 2/pi 2^e
// modulo 4 in parts whose products with m are exact or nearly so: only the
// quadrant and the fraction are ever computed, so that a large angle loses no
// digits. An f64 has too many digits for one such m and is taken as two.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "compiler/builtins/functions.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/Module.h"

namespace quern {
namespace {

// The first 1,248 binary digits of 2/pi after the point.
constexpr uint32_t kTwoOverPi[] = {
    0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041,
    0xfe5163ab, 0xdebbc561, 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c,
    0xfe1deb1c, 0xb129a73e, 0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41,
    0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b, 0x1ff897ff, 0xde05980f,
    0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d,
    0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08,
    0x56033046, 0xfc7b6bab, 0xf0cfbc20,
};

constexpr double kQuarterPi = 0x1.921fb54442d18p-1;
constexpr double kHalfPiHigh = 0x1.921fb54442d18p+0;
constexpr double kHalfPiLow = 0x1.1a62633145c07p-54;

// The parts of the table: digits of each, from 2^1 down. The first times m is
// exact in f64, for m below 2^24 (f32) or 2^27 (f64).
struct Layout {
  const char* name;
  int parts;
  int first_digits;
  int lowest_exponent;
  int entries;
};

// Smaller angles than 1/2 need no reduction: m >= 2^23 and 2^e >= 2^-24.
constexpr Layout kFloatLayout = {"quern.two_over_pi.f32", 2, 29, -24, 129};
// m = m1 2^26 + m0, for exponents from -1 - 52 and up to 1023 - 26.
constexpr Layout kDoubleLayout = {"quern.two_over_pi.f64", 4, 26, -53, 1051};
constexpr int kPartDigits = 53;

// Digit i of 2/pi after the point, from 1.
uint64_t Digit(int i) {
  if (i < 1) return 0;
  return kTwoOverPi[(i - 1) / 32] >> (31 - (i - 1) % 32) & 1;
}

// `count` digits of 2/pi 2^e from the one worth 2^high on.
double DigitsOf(int e, int high, int count) {
  uint64_t digits = 0;
  for (int k = 0; k < count; ++k) digits = digits << 1 | Digit(e - high + k);
  return std::ldexp(static_cast<double>(digits), high - count + 1);
}

// The table, made once a module.
llvm::Value* TableOf(const Lanes& l, const Layout& layout) {
  llvm::Module& module = *l.builder().GetInsertBlock()->getModule();
  if (llvm::GlobalVariable* made =
          module.getGlobalVariable(layout.name, true)) {
    return made;
  }
  std::vector<double> table;
  for (int entry = 0; entry < layout.entries; ++entry) {
    const int e = layout.lowest_exponent + entry;
    table.push_back(DigitsOf(e, 1, layout.first_digits));
    for (int part = 1; part < layout.parts; ++part) {
      const int high = 1 - layout.first_digits - kPartDigits * (part - 1);
      table.push_back(DigitsOf(e, high, kPartDigits));
    }
  }
  llvm::Constant* data = llvm::ConstantDataArray::get(
      module.getContext(), llvm::ArrayRef<double>(table));
  auto* global = new llvm::GlobalVariable(
      module, data->getType(), /*isConstant=*/true,
      llvm::GlobalValue::PrivateLinkage, data, layout.name);
  global->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  global->setAlignment(llvm::Align(64));
  return global;
}

// All parts of the entry `index` (bits) of the table, for every lane, as f64.
using Parts = llvm::SmallVector<llvm::Value*, 4>;

Parts LookUp(const Lanes& l, const Layout& layout, llvm::Value* index) {
  llvm::IRBuilderBase& builder = l.builder();
  llvm::Value* table = TableOf(l, layout);
  llvm::Value* first = builder.CreateMul(index, l.I(layout.parts));
  Parts parts;
  for (int i = 0; i < layout.parts; ++i) {
    llvm::Value* address = builder.CreateGEP(builder.getDoubleTy(), table,
                                             builder.CreateAdd(first, l.I(i)));
    parts.push_back(l.vector_size() == 0
                        ? static_cast<llvm::Value*>(builder.CreateAlignedLoad(
                              l.double_type(), address, llvm::Align(8)))
                        : builder.CreateMaskedGather(l.double_type(), address,
                                                     llvm::Align(8)));
  }
  return parts;
}

// a + b and its rounding error, whichever is larger.
Pair AddExactly(const Lanes& l, llvm::Value* a, llvm::Value* b) {
  llvm::Value* sum = l.Add(a, b);
  llvm::Value* rest = l.Sub(sum, a);
  return {sum, l.Add(l.Sub(a, l.Sub(sum, rest)), l.Sub(b, rest))};
}

// The sum of `terms`, nearly as if in twice the precision.
Pair SumExactly(const Lanes& l, llvm::ArrayRef<llvm::Value*> terms) {
  llvm::Value* high = terms.front();
  llvm::Value* low = l.F(0.0);
  for (llvm::Value* term : terms.drop_front()) {
    const Pair sum = AddExactly(l, high, term);
    high = sum.high;
    low = l.Add(low, sum.low);
  }
  return {high, low};
}

// The exponent's place in the table: that of the unit of the last digit, held
// to what the table has. Infinities and NaNs have no entry, and need none.
llvm::Value* EntryOf(const Lanes& l, llvm::Value* magnitude) {
  llvm::IRBuilderBase& builder = l.builder();
  const bool d = l.is_double();
  const uint64_t lowest = (d ? 1023 : 127) - 1;  // Of angles from 1/2 on.
  llvm::Value* exponent =
      builder.CreateLShr(l.Bits(magnitude), l.I(d ? 52 : 23));
  exponent = builder.CreateBinaryIntrinsic(llvm::Intrinsic::umax, exponent,
                                           l.I(lowest));
  exponent = builder.CreateSub(exponent, l.I(lowest));
  return builder.CreateBinaryIntrinsic(llvm::Intrinsic::umin, exponent,
                                       l.I(d ? 1024 : 128));
}

// An integer below 2^52, given as bits of f64 lanes, as f64.
llvm::Value* IntegerToDouble(const Lanes& d, llvm::Value* integer) {
  llvm::IRBuilderBase& builder = d.builder();
  llvm::Value* shift = d.F(0x1p52);
  return d.Sub(d.FromBits(builder.CreateOr(integer, d.Bits(shift))), shift);
}

// In f64 throughout, rounded to two floats at the end.
Angle ReduceFloat(const Lanes& l, llvm::Value* magnitude) {
  llvm::IRBuilderBase& builder = l.builder();
  const Lanes d(builder, l.double_type(), l.target());
  const Parts parts = LookUp(l, kFloatLayout, EntryOf(l, magnitude));
  llvm::Value* digits = builder.CreateOr(
      builder.CreateAnd(l.Bits(magnitude), l.I(0x7fffff)), l.I(0x800000));
  llvm::Value* m = IntegerToDouble(d, builder.CreateZExt(digits, d.int_type()));
  llvm::Value* product = d.Mul(m, parts[0]);
  const Lanes::Rounded n = d.RoundToInteger(product);
  llvm::Value* turns = d.Fma(m, parts[1], d.Sub(product, n.value));
  // The second part may be an eighth of a turn: it takes part in the rounding.
  const Lanes::Rounded more = d.RoundToInteger(turns);
  turns = d.Sub(turns, more.value);
  llvm::Value* r = d.Mul(turns, d.F(kHalfPiHigh));
  llvm::Value* wide = builder.CreateFPExt(magnitude, d.type());
  llvm::Value* is_small = d.Less(wide, d.F(kQuarterPi));
  r = d.Select(is_small, wide, r);
  llvm::Value* high = builder.CreateFPTrunc(r, l.type());
  llvm::Value* low = builder.CreateFPTrunc(
      d.Sub(r, builder.CreateFPExt(high, d.type())), l.type());
  llvm::Value* quadrant =
      d.Select(is_small, d.I(0), builder.CreateAdd(n.integer, more.integer));
  return {high, low, builder.CreateTrunc(quadrant, l.int_type())};
}

// The turns (multiples of pi/2) of one half of an f64's digits.
struct Turns {
  Lanes::Rounded whole;
  llvm::Value* fraction;
  Pair second;
  Pair third;
  llvm::Value* fourth;
};

Turns TurnsOf(const Lanes& l, llvm::Value* m, llvm::Value* entry) {
  const Parts parts = LookUp(l, kDoubleLayout, entry);
  llvm::Value* first = l.Mul(m, parts[0]);
  const Lanes::Rounded whole = l.RoundToInteger(first);
  return {whole, l.Sub(first, whole.value), MultiplyExactly(l, m, parts[1]),
          MultiplyExactly(l, m, parts[2]), l.Mul(m, parts[3])};
}

Angle ReduceDouble(const Lanes& l, llvm::Value* magnitude) {
  llvm::IRBuilderBase& builder = l.builder();
  llvm::Value* entry = EntryOf(l, magnitude);
  llvm::Value* bits = l.Bits(magnitude);
  llvm::Value* upper = builder.CreateOr(
      builder.CreateAnd(builder.CreateLShr(bits, l.I(26)), l.I(0x3ffffff)),
      l.I(0x4000000));
  llvm::Value* lower = builder.CreateAnd(bits, l.I(0x3ffffff));
  const Turns a =
      TurnsOf(l, IntegerToDouble(l, upper), builder.CreateAdd(entry, l.I(26)));
  const Turns b = TurnsOf(l, IntegerToDouble(l, lower), entry);

  // The large terms first: what is left after whole turns is small or exact.
  const Pair one = AddExactly(l, l.Add(a.fraction, b.fraction), a.second.high);
  const Pair two = AddExactly(l, one.high, b.second.high);
  const Lanes::Rounded n = l.RoundToInteger(two.high);
  const Pair sum =
      SumExactly(l, {l.Sub(two.high, n.value), one.low, two.low, a.second.low,
                     b.second.low, a.third.high, b.third.high, a.third.low,
                     b.third.low, a.fourth, b.fourth});
  const Pair turns = AddExactly(l, sum.high, sum.low);
  llvm::Value* high = l.Mul(turns.high, l.F(kHalfPiHigh));
  llvm::Value* low = l.Fma(turns.high, l.F(kHalfPiHigh), l.Neg(high));
  low = l.Add(low, l.Fma(turns.high, l.F(kHalfPiLow),
                         l.Mul(turns.low, l.F(kHalfPiHigh))));
  llvm::Value* quadrant = builder.CreateAdd(
      builder.CreateAdd(a.whole.integer, b.whole.integer), n.integer);
  llvm::Value* is_small = l.Less(magnitude, l.F(kQuarterPi));
  return {l.Select(is_small, magnitude, high),
          l.Select(is_small, l.F(0.0), low),
          l.Select(is_small, l.I(0), quadrant)};
}

}  // namespace

Angle EmitAngle(const Lanes& l, llvm::Value* x) {
  llvm::Value* magnitude = l.Abs(x);
  return l.is_double() ? ReduceDouble(l, magnitude) : ReduceFloat(l, magnitude);
}

}  // namespace quern
