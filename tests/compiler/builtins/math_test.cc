// Tests of the mathematical functions against the C library in higher
// precision: over the bit patterns of f32, and samples of those of f64.
#include "compiler/builtins/math.h"

#include <gtest/gtest.h>
#include <sleef.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "compiler/codegen/host.h"
#include "compiler/codegen/target.h"
#include "tests/compiler/builtins/function_image.h"
#include "tests/compiler/codegen/ir_image.h"
#include "tests/execution/loaded_image.h"

namespace quern {
namespace {

using Real = long double;

struct Oracle {
  const char* name;
  MathFunction function;
  unsigned arguments;
  Real (*f)(Real, Real);
  double bound_f32;  // In units of the last place, as the header says.
  double bound_f64;
  // Of f64, an absolute error that is right too: near zeros between numbers.
  double slack_f64 = 0;
};

Real Rsqrt(Real x) { return 1 / sqrtl(x); }

// Zeros that only a rounded pi would miss.
Real Sinpi(Real x) {
  const Real r = std::remainder(x, Real{2});
  const Real rest = std::remainder(r, Real{1});
  if (rest == 0) return std::copysign(Real{0}, x);
  const Real sine = std::sin(std::numbers::pi_v<Real> * rest);
  return std::fabs(r - rest) == 1 ? -sine : sine;
}

Real Cospi(Real x) {
  const Real r = std::fabs(std::remainder(x, Real{2}));
  return std::sin(std::numbers::pi_v<Real> * (Real{0.5} - r)) + Real{0};
}

Real Erfcx(Real x) {
  if (x < 100) return std::exp(x * x) * std::erfc(x);
  const Real z = 1 / (x * x);  // Of the series no more than this counts.
  const Real series =
      1 - z / 2 * (1 - z * 3 / 2 * (1 - z * 5 / 2 * (1 - z * 7 / 2)));
  return series / x * std::numbers::inv_sqrtpi_v<Real>;
}

// By bisection; `x` within a double's digits of 1 at the closest.
Real Erfinv(Real x) {
  if (!(std::fabs(x) <= 1)) return std::numeric_limits<Real>::quiet_NaN();
  if (std::fabs(x) == 1) {
    return std::copysign(std::numeric_limits<Real>::infinity(), x);
  }
  const Real a = std::fabs(x);
  if (a < 1e-9L) return x / std::numbers::inv_sqrtpi_v<Real> / 2;
  Real y = 0;
  for (Real step = 4; step > 1e-20L; step /= 2) {
    if (erfcl(y + step) > 1 - a) y += step;
  }
  // One step of Newton's gives the digits that erfc near 1 has not.
  const Real slope = 2 * std::numbers::inv_sqrtpi_v<Real> * expl(-y * y);
  const Real excess = a < 0.5L ? erfl(y) - a : 1 - a - erfcl(y);
  return std::copysign(y - excess / slope, x);
}

#define QUERN_ONE(call) [](Real x, Real) -> Real { return call(x); }
#define QUERN_TWO(call) [](Real x, Real y) -> Real { return call(x, y); }

const Oracle kOracles[] = {
    {"exp", MathFunction::kExp, 1, QUERN_ONE(expl), 1, 1},
    {"exp2", MathFunction::kExp2, 1, QUERN_ONE(exp2l), 1, 1},
    {"expm1", MathFunction::kExpm1, 1, QUERN_ONE(expm1l), 2, 2},
    {"log", MathFunction::kLog, 1, QUERN_ONE(logl), 1, 1},
    {"log2", MathFunction::kLog2, 1, QUERN_ONE(log2l), 1, 2},
    {"log10", MathFunction::kLog10, 1, QUERN_ONE(log10l), 2, 2},
    {"log1p", MathFunction::kLog1p, 1, QUERN_ONE(log1pl), 2, 2},
    {"sin", MathFunction::kSin, 1, QUERN_ONE(sinl), 1, 1},
    {"cos", MathFunction::kCos, 1, QUERN_ONE(cosl), 1, 1},
    {"tan", MathFunction::kTan, 1, QUERN_ONE(tanl), 3, 3},
    {"asin", MathFunction::kAsin, 1, QUERN_ONE(asinl), 3, 3},
    {"acos", MathFunction::kAcos, 1, QUERN_ONE(acosl), 2, 2},
    {"atan", MathFunction::kAtan, 1, QUERN_ONE(atanl), 2, 2},
    {"atan2", MathFunction::kAtan2, 2, QUERN_TWO(atan2l), 2, 2},
    {"sinh", MathFunction::kSinh, 1, QUERN_ONE(sinhl), 3, 3},
    {"cosh", MathFunction::kCosh, 1, QUERN_ONE(coshl), 2, 2},
    {"tanh", MathFunction::kTanh, 1, QUERN_ONE(tanhl), 3, 3},
    {"erf", MathFunction::kErf, 1, QUERN_ONE(erfl), 2, 2},
    {"erfc", MathFunction::kErfc, 1, QUERN_ONE(erfcl), 4, 8},
    {"pow", MathFunction::kPow, 2, QUERN_TWO(powl), 1, 16},
    {"exp10", MathFunction::kExp10, 1, QUERN_ONE(exp10l), 1, 16},
    {"asinh", MathFunction::kAsinh, 1, QUERN_ONE(asinhl), 1, 4},
    {"acosh", MathFunction::kAcosh, 1, QUERN_ONE(acoshl), 1, 4},
    {"atanh", MathFunction::kAtanh, 1, QUERN_ONE(atanhl), 1, 4},
    {"sinpi", MathFunction::kSinpi, 1, QUERN_ONE(Sinpi), 1, 3},
    {"cospi", MathFunction::kCospi, 1, QUERN_ONE(Cospi), 1, 3},
    {"erfcx", MathFunction::kErfcx, 1, QUERN_ONE(Erfcx), 1, 16},
    {"erfinv", MathFunction::kErfinv, 1, QUERN_ONE(Erfinv), 1, 16},
    {"lgamma", MathFunction::kLgamma, 1, QUERN_ONE(lgammal), 1, 8, 1e-13},
    {"cbrt", MathFunction::kCbrt, 1, QUERN_ONE(cbrtl), 1, 1},
    {"hypot", MathFunction::kHypot, 2, QUERN_TWO(hypotl), 1, 2},
    {"sqrt", MathFunction::kSqrt, 1, QUERN_ONE(sqrtl), 0.5, 0.5},
    {"rsqrt", MathFunction::kRsqrt, 1, QUERN_ONE(Rsqrt), 2, 2},
    {"floor", MathFunction::kFloor, 1, QUERN_ONE(floorl), 0, 0},
    {"ceil", MathFunction::kCeil, 1, QUERN_ONE(ceill), 0, 0},
    {"trunc", MathFunction::kTrunc, 1, QUERN_ONE(truncl), 0, 0},
    {"rint", MathFunction::kRint, 1, QUERN_ONE(rintl), 0, 0},
    {"round", MathFunction::kRound, 1, QUERN_ONE(roundl), 0, 0},
    {"abs", MathFunction::kAbs, 1, QUERN_ONE(fabsl), 0, 0},
};

// The error of `got` in units of the last place of T at `want`.
template <typename T>
double UlpError(T got, Real want) {
  using Limits = std::numeric_limits<T>;
  constexpr double kWrong = std::numeric_limits<double>::infinity();
  if (std::isnan(want)) return std::isnan(got) ? 0 : kWrong;
  // Infinity stands for the number after the largest.
  const Real beyond = std::ldexp(Real{1}, Limits::max_exponent);
  const Real value = std::isinf(got) ? std::copysign(beyond, Real{got}) : got;
  want = std::fmin(std::fmax(want, -beyond), beyond);
  if (want == 0) {
    return got == 0 && std::signbit(got) == std::signbit(want) ? 0 : kWrong;
  }
  const int exponent =
      std::max(std::ilogb(want), Limits::min_exponent - 1) - Limits::digits + 1;
  const Real error = std::fabs(value - want) / std::ldexp(Real{1}, exponent);
  return std::isnan(error) ? kWrong : static_cast<double>(error);
}

template <typename T>
std::vector<T> Edges() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> values = {0,    1,     2, 3,    0.5,  1.5,  2.5,
                           10,   100,   4, 709,  88,   104,  746,
                           1e-3, 1e-10, 5, 27.2, 1e22, 1e30, 0.75};
  values.insert(
      values.end(),
      {Limits::max(), Limits::min(), Limits::denorm_min(), Limits::infinity(),
       Limits::quiet_NaN(), Limits::epsilon(), std::nextafter(T{1}, T{0}),
       std::nextafter(T{0.5}, T{0}), static_cast<T>(1.5707963267948966),
       static_cast<T>(3.1415926535897931)});
  const size_t count = values.size();
  for (size_t i = 0; i < count; ++i) values.push_back(-values[i]);
  return values;
}

// Every 4099th bit pattern of f32.
std::vector<float> Sweep() {
  std::vector<float> values = Edges<float>();
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 4099) {
    values.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  return values;
}

// Random bit patterns of f64, and numbers of usual sizes.
std::vector<double> Samples() {
  std::vector<double> values = Edges<double>();
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> usual(-30, 30);
  std::uniform_real_distribution<double> near_one(0.4, 1.6);
  for (int i = 0; i < 150000; ++i) {
    values.push_back(std::bit_cast<double>(random()));
    values.push_back(usual(random));
    values.push_back(near_one(random));
    values.push_back(std::exp(2 * usual(random)));
    values.push_back(20 * usual(random));
  }
  return values;
}

struct Machine {
  const char* name;
  TargetSpec spec;
  unsigned vector_bytes;  // 0: scalars.
};

// What this machine can run.
std::vector<Machine> Machines() {
  InitializeTargetsOnce();
  std::vector<Machine> machines;
  const TargetSpec host = DetectHost();
  const Target target = *ResolveTarget(host);
  machines.push_back({"host", host, target.shape.vector_bytes});
  machines.push_back({"scalar", host, 0});
  if (target.shape.avx512) machines.push_back({"avx2", X86Spec(), 32});
  return machines;
}

template <typename T>
absl::StatusOr<std::string> Image(const Oracle& oracle,
                                  const Machine& machine) {
  const auto type =
      sizeof(T) == 8 ? llvm::Type::getDoubleTy : llvm::Type::getFloatTy;
  const unsigned lanes =
      std::max<unsigned>(1, machine.vector_bytes / sizeof(T));
  const auto resolved = ResolveTarget(machine.spec);
  if (!resolved.ok()) return resolved.status();
  const MathTarget target = {resolved->shape.avx512};
  return FunctionImage(
      {type, type, oracle.arguments, lanes},
      [&](llvm::IRBuilderBase& builder, llvm::ArrayRef<llvm::Value*> values) {
        return EmitMath(builder, oracle.function, values, target);
      },
      machine.spec);
}

template <typename T>
std::vector<T> Apply(const Oracle& oracle, const Machine& machine,
                     std::vector<T> x, std::vector<T> y) {
  const size_t count = x.size();
  x.resize((count + 63) / 64 * 64);
  y.resize(x.size());
  std::vector<T> out(x.size());
  auto image = Image<T>(oracle, machine);
  EXPECT_TRUE(image.ok()) << image.status();
  if (!image.ok()) return out;
  const LoadedImage loaded(*image);
  std::vector<uint64_t> arguments = {reinterpret_cast<uint64_t>(x.data())};
  if (oracle.arguments == 2) {
    arguments.push_back(reinterpret_cast<uint64_t>(y.data()));
  }
  arguments.push_back(reinterpret_cast<uint64_t>(out.data()));
  EXPECT_EQ(loaded.Launch(arguments, x.size()), 0);
  out.resize(count);
  return out;
}

// Second arguments: the first ones in another order, most of them tamed so
// that results are within range; and every pair of edges.
template <typename T>
std::vector<T> SecondArguments(std::vector<T>& x) {
  std::vector<T> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const T other = x[(i * 7919 + 13) % x.size()];
    const T tame = std::fmod(other, static_cast<T>(16));
    y[i] = i % 3 == 0 ? other : i % 3 == 1 ? tame : std::rint(tame);
  }
  for (T a : Edges<T>()) {
    for (T b : Edges<T>()) {
      x.push_back(a);
      y.push_back(b);
    }
  }
  return y;
}

template <typename T>
void Check(const Oracle& oracle, const Machine& machine, std::vector<T> x,
           double bound) {
  std::vector<T> y;
  if (oracle.arguments == 2) y = SecondArguments(x);
  const std::vector<T> got = Apply(oracle, machine, x, y);
  y.resize(x.size());
  double worst = 0;
  size_t at = 0;
  const Real slack = sizeof(T) == 8 ? oracle.slack_f64 : 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const Real want = oracle.f(x[i], y[i]);
    if (slack > 0 && std::fabs(got[i] - want) <= slack) continue;
    const double error = UlpError(got[i], want);
    if (error > worst) {
      worst = error;
      at = i;
    }
  }
  EXPECT_LE(worst, bound) << oracle.name << "(" << std::hexfloat << x[at]
                          << ", " << y[at] << ") = " << got[at] << ", not "
                          << oracle.f(x[at], y[at]) << " on " << machine.name;
  std::printf("%-6s %-6s f%zu: %.3f ulp\n", oracle.name, machine.name,
              8 * sizeof(T), worst);
}

class MathTest : public ::testing::TestWithParam<Oracle> {};

INSTANTIATE_TEST_SUITE_P(Functions, MathTest, ::testing::ValuesIn(kOracles),
                         [](const auto& info) { return info.param.name; });

TEST_P(MathTest, FloatsAreWithinTheBound) {
  for (const Machine& machine : Machines()) {
    Check<float>(GetParam(), machine, Sweep(), GetParam().bound_f32);
  }
}

TEST_P(MathTest, DoublesAreWithinTheBound) {
  for (const Machine& machine : Machines()) {
    Check<double>(GetParam(), machine, Samples(), GetParam().bound_f64);
  }
}

TEST_P(MathTest, NothingIsImportedOnAnyTarget) {
  for (const TargetSpec& spec :
       {X86Spec(), X86Spec("znver4"), X86Spec("skylake-avx512"), Arm64Spec(),
        Arm64Spec("neoverse-v2"), Arm64Spec("cortex-a53")}) {
    const unsigned wide = spec.triple[0] == 'a' ? 16 : 32;
    for (unsigned bytes : {0u, 8u, wide, 2 * wide}) {
      const Machine machine = {"", spec, bytes};
      const auto doubles = Image<double>(GetParam(), machine);
      EXPECT_TRUE(doubles.ok()) << spec.cpu << bytes << doubles.status();
      const auto floats = Image<float>(GetParam(), machine);
      EXPECT_TRUE(floats.ok()) << spec.cpu << bytes << floats.status();
    }
  }
}

// A second oracle, whose own error is at most one unit.
struct Second {
  MathFunction function;
  decltype(&Sleef_exp_u10) f;
  double bound;
};

TEST(MathSleefTest, DoublesAgreeWithSleef) {
  const Second seconds[] = {{MathFunction::kExp, Sleef_exp_u10, 2},
                            {MathFunction::kExp2, Sleef_exp2_u10, 2},
                            {MathFunction::kExpm1, Sleef_expm1_u10, 3},
                            {MathFunction::kLog, Sleef_log_u10, 2},
                            {MathFunction::kLog2, Sleef_log2_u10, 3},
                            {MathFunction::kLog10, Sleef_log10_u10, 3},
                            {MathFunction::kLog1p, Sleef_log1p_u10, 3},
                            {MathFunction::kSin, Sleef_sin_u10, 2},
                            {MathFunction::kCos, Sleef_cos_u10, 2},
                            {MathFunction::kTan, Sleef_tan_u10, 4},
                            {MathFunction::kAtan, Sleef_atan_u10, 3},
                            {MathFunction::kTanh, Sleef_tanh_u10, 4},
                            {MathFunction::kErf, Sleef_erf_u10, 3}};
  std::vector<double> x;
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> usual(-20, 20);
  for (int i = 0; i < 100000; ++i) x.push_back(usual(random));
  for (const Second& second : seconds) {
    const Oracle oracle = {"", second.function, 1, nullptr, 0, 0};
    const auto got = Apply<double>(oracle, Machines()[0], x, {});
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_LE(UlpError(got[i], Real{second.f(x[i])}), second.bound)
          << static_cast<int>(second.function) << " of " << x[i];
    }
  }
}

template <typename T>
void CheckBits(const Machine& machine, std::vector<T> x) {
  std::vector<T> y = SecondArguments(x);
  const auto next =
      Apply<T>({"", MathFunction::kNextafter, 2, nullptr, 0, 0}, machine, x, y);
  std::vector<T> n(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    n[i] = std::rint(std::remainder(x[(i * 31 + 7) % x.size()], T{4300}));
    if (std::isnan(n[i])) n[i] = 3e4;
  }
  const auto scaled =
      Apply<T>({"", MathFunction::kLdexp, 2, nullptr, 0, 0}, machine, x, n);
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(UlpError(next[i], std::nextafter(x[i], y[i])), 0)
        << machine.name << " from " << x[i] << " toward " << y[i];
    const T want = std::ldexp(x[i], static_cast<int>(n[i]));
    ASSERT_EQ(UlpError(scaled[i], want), 0)
        << machine.name << ": " << x[i] << " by 2^" << n[i];
  }
}

TEST(MathBitsTest, LdexpAndNextafterAreExact) {
  for (const Machine& machine : Machines()) {
    CheckBits<float>(machine, Sweep());
    CheckBits<double>(machine, Samples());
  }
}

TEST(MathFmaTest, IsRoundedOnce) {
  const Oracle fma = {"fma", MathFunction::kFma, 3, nullptr, 0, 0};
  for (const Machine& machine : Machines()) {
    auto image = Image<float>(fma, machine);
    ASSERT_TRUE(image.ok()) << image.status();
    std::vector<float> x(64, 1 + 0x1p-12f), z(64, -1 - 0x1p-11f), out(64);
    const LoadedImage loaded(*image);
    const auto address = [](std::vector<float>& values) {
      return reinterpret_cast<uint64_t>(values.data());
    };
    loaded.Launch({address(x), address(x), address(z), address(out)}, 64);
    EXPECT_EQ(out[5], 0x1p-24f);
  }
}

}  // namespace
}  // namespace quern
