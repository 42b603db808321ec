// Tests of float conversions, against the tables of all values of a format.
#include "compiler/builtins/convert.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
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

// A format as IEEE 754 would describe it, independent of the code tested.
struct Format {
  const char* name;
  FloatFormat format;
  int bits;
  int mantissa_bits;
  int bias;
  bool has_infinity;  // The all-ones exponent holds infinity and NaNs.
  bool fnuz;          // The code of -0 is the only NaN.
};

const Format kFormats[] = {
    {"e5m2", FloatFormat::kF8E5M2, 8, 2, 15, true, false},
    {"e4m3fn", FloatFormat::kF8E4M3FN, 8, 3, 7, false, false},
    {"e5m2fnuz", FloatFormat::kF8E5M2FNUZ, 8, 2, 16, false, true},
    {"e4m3fnuz", FloatFormat::kF8E4M3FNUZ, 8, 3, 8, false, true},
    {"f16", FloatFormat::kF16, 16, 10, 15, true, false},
    {"bf16", FloatFormat::kBF16, 16, 7, 127, true, false},
};

const double kInfinity = std::numeric_limits<double>::infinity();

// The value of a code without its sign; NaN for a NaN.
double MagnitudeOf(const Format& format, int code) {
  const int exponent = code >> format.mantissa_bits;
  const int mantissa = code & ((1 << format.mantissa_bits) - 1);
  const int top = (1 << (format.bits - 1 - format.mantissa_bits)) - 1;
  const bool all_ones = code == (1 << (format.bits - 1)) - 1;
  if (format.has_infinity && exponent == top) {
    return mantissa == 0 ? kInfinity : std::nan("");
  }
  if (!format.has_infinity && !format.fnuz && all_ones) return std::nan("");
  if (exponent == 0) {
    return std::ldexp(mantissa, 1 - format.bias - format.mantissa_bits);
  }
  return std::ldexp((1 << format.mantissa_bits) + mantissa,
                    exponent - format.bias - format.mantissa_bits);
}

double ValueOf(const Format& format, int code) {
  const int sign = code >> (format.bits - 1);
  const int rest = code & ((1 << (format.bits - 1)) - 1);
  if (format.fnuz && sign == 1 && rest == 0) return std::nan("");
  const double magnitude = MagnitudeOf(format, rest);
  return sign == 1 ? -magnitude : magnitude;
}

// All finite magnitudes, by code.
std::vector<double> Magnitudes(const Format& format) {
  std::vector<double> values;
  for (int code = 0; code < 1 << (format.bits - 1); ++code) {
    const double value = MagnitudeOf(format, code);
    if (std::isfinite(value)) values.push_back(value);
  }
  return values;
}

// What `x` is to become, as a value; nearest in the table, or towards zero.
double Expected(const Format& format, const std::vector<double>& table,
                double x, FloatRounding rounding) {
  if (std::isnan(x)) return x;
  const double a = std::fabs(x);
  const bool tiny = format.bits == 8;
  size_t code =
      std::upper_bound(table.begin(), table.end(), a) - table.begin() - 1;
  double result = table[code];
  if (rounding == FloatRounding::kNearestEven && result != a) {
    const bool last = code + 1 == table.size();
    const double step = table[code] - table[code - (last ? 1 : 0)];
    const double next = last ? result + step : table[code + 1];
    const double up = next - a;
    const double down = a - result;
    if (up < down || (up == down && code % 2 == 1)) {
      result = last ? (tiny ? result : kInfinity) : next;
    }
  }
  if (std::isinf(a) && !tiny) result = kInfinity;
  if (format.fnuz && result == 0) return 0;
  return std::copysign(result, x);
}

template <typename In, typename Out>
std::vector<Out> Convert(FloatFormat from, FloatFormat to,
                         FloatRounding rounding, const TargetSpec& spec,
                         unsigned lanes, std::vector<In> in) {
  static FloatFormat in_format, out_format;  // The shape's are plain functions.
  in_format = from;
  out_format = to;
  const size_t count = in.size();
  in.resize((count + 63) / 64 * 64);
  std::vector<Out> out(in.size());
  auto image = FunctionImage(
      {[](llvm::LLVMContext& c) { return ElementType(c, in_format); },
       [](llvm::LLVMContext& c) { return ElementType(c, out_format); }, 1,
       lanes},
      [&](llvm::IRBuilderBase& builder, llvm::ArrayRef<llvm::Value*> values) {
        return EmitFloatConvert(builder, values[0], from, to, rounding);
      },
      spec);
  EXPECT_TRUE(image.ok()) << image.status();
  if (!image.ok()) return out;
  const LoadedImage loaded(*image);
  loaded.Launch({reinterpret_cast<uint64_t>(in.data()),
                 reinterpret_cast<uint64_t>(out.data())},
                in.size());
  out.resize(count);
  return out;
}

bool Same(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b && std::signbit(a) == std::signbit(b);
}

std::vector<float> Floats(const Format& format) {
  std::vector<float> values;
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 9973) {
    values.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  // Each value, each middle between two, and their neighbours.
  const std::vector<double> table = Magnitudes(format);
  for (size_t i = 0; i + 1 < table.size(); ++i) {
    const float middle = static_cast<float>((table[i] + table[i + 1]) / 2);
    for (float value :
         {static_cast<float>(table[i]), middle, std::nextafter(middle, 0.0f),
          std::nextafter(middle, 1e30f)}) {
      values.push_back(value);
      values.push_back(-value);
    }
  }
  values.insert(values.end(),
                {INFINITY, -INFINITY, NAN, std::bit_cast<float>(0x7f800001u)});
  return values;
}

class ConvertTest : public ::testing::TestWithParam<Format> {
 protected:
  void SetUp() override { InitializeTargetsOnce(); }

  // Codes of 8 or 16 bits, as the out type of Convert asks for.
  template <typename In, typename Code>
  void CheckNarrowing(FloatFormat from, const std::vector<In>& in) {
    const Format& format = GetParam();
    const std::vector<double> table = Magnitudes(format);
    for (FloatRounding rounding :
         {FloatRounding::kNearestEven, FloatRounding::kTowardZero}) {
      for (unsigned lanes : {1u, 4u, 16u}) {
        const auto out = Convert<In, Code>(from, format.format, rounding,
                                           DetectHost(), lanes, in);
        for (size_t i = 0; i < in.size(); ++i) {
          const double want =
              Expected(format, table, static_cast<double>(in[i]), rounding);
          ASSERT_TRUE(Same(ValueOf(format, out[i]), want))
              << std::hexfloat << double{in[i]} << " became "
              << ValueOf(format, out[i]) << ", not " << want << ", lanes "
              << lanes
              << (rounding == FloatRounding::kTowardZero ? " rtz" : "");
        }
      }
    }
  }

  template <typename Code>
  void CheckWidening() {
    const Format& format = GetParam();
    std::vector<Code> codes;
    for (int code = 0; code < 1 << format.bits; ++code) codes.push_back(code);
    for (unsigned lanes : {1u, 8u}) {
      const auto floats = Convert<Code, float>(format.format, FloatFormat::kF32,
                                               FloatRounding::kNearestEven,
                                               DetectHost(), lanes, codes);
      const auto doubles = Convert<Code, double>(
          format.format, FloatFormat::kF64, FloatRounding::kNearestEven,
          DetectHost(), lanes, codes);
      for (size_t i = 0; i < codes.size(); ++i) {
        ASSERT_TRUE(Same(floats[i], ValueOf(format, i))) << i;
        ASSERT_TRUE(Same(doubles[i], ValueOf(format, i))) << i;
      }
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Formats, ConvertTest, ::testing::ValuesIn(kFormats),
                         [](const auto& info) { return info.param.name; });

TEST_P(ConvertTest, EveryCodeWidensExactly) {
  GetParam().bits == 8 ? CheckWidening<uint8_t>() : CheckWidening<uint16_t>();
}

TEST_P(ConvertTest, FloatsAreRoundedOnce) {
  const std::vector<float> in = Floats(GetParam());
  GetParam().bits == 8 ? CheckNarrowing<float, uint8_t>(FloatFormat::kF32, in)
                       : CheckNarrowing<float, uint16_t>(FloatFormat::kF32, in);
}

TEST_P(ConvertTest, DoublesAreRoundedOnce) {
  std::vector<double> in;
  std::mt19937_64 random(3);
  for (float value : Floats(GetParam())) {
    in.push_back(value);
    // Just beside a value of f32: rounding twice would go wrong here.
    in.push_back(value * (1 + 0x1p-50));
    in.push_back(value * (1 - 0x1p-50));
    if (in.size() % 16 == 0) in.push_back(std::bit_cast<double>(random()));
  }
  GetParam().bits == 8
      ? CheckNarrowing<double, uint8_t>(FloatFormat::kF64, in)
      : CheckNarrowing<double, uint16_t>(FloatFormat::kF64, in);
}

TEST_P(ConvertTest, NothingIsImportedOnAnyTarget) {
  static FloatFormat out_format;
  out_format = GetParam().format;
  const auto out = [](llvm::LLVMContext& c) {
    return ElementType(c, out_format);
  };
  for (const TargetSpec& spec :
       {X86Spec(), X86Spec("znver4"), Arm64Spec("cortex-a53"), Arm64Spec(),
        Arm64Spec("neoverse-v2")}) {
    for (FloatRounding rounding :
         {FloatRounding::kNearestEven, FloatRounding::kTowardZero}) {
      for (unsigned lanes : {1u, 2u, 4u, 8u, 16u}) {
        const auto narrow = FunctionImage(
            {llvm::Type::getDoubleTy, out, 1, lanes},
            [&](llvm::IRBuilderBase& builder,
                llvm::ArrayRef<llvm::Value*> values) {
              return EmitFloatConvert(builder, values[0], FloatFormat::kF64,
                                      out_format, rounding);
            },
            spec);
        EXPECT_TRUE(narrow.ok()) << spec.cpu << lanes << narrow.status();
        const auto widen = FunctionImage(
            {out, llvm::Type::getDoubleTy, 1, lanes},
            [&](llvm::IRBuilderBase& builder,
                llvm::ArrayRef<llvm::Value*> values) {
              return EmitFloatConvert(builder, values[0], out_format,
                                      FloatFormat::kF64, rounding);
            },
            spec);
        EXPECT_TRUE(widen.ok()) << spec.cpu << lanes << widen.status();
      }
    }
  }
}

TEST(ConvertDoubleTest, DoublesBecomeFloatsInBothRoundings) {
  InitializeTargetsOnce();
  const std::vector<double> in = {1 + 0x1p-30, -1 - 0x1p-24,   1e300,
                                  -kInfinity,  0x1.ffffffp127, -0x1p-149,
                                  0x1p-150};
  const auto nearest =
      Convert<double, float>(FloatFormat::kF64, FloatFormat::kF32,
                             FloatRounding::kNearestEven, DetectHost(), 4, in);
  const auto truncated =
      Convert<double, float>(FloatFormat::kF64, FloatFormat::kF32,
                             FloatRounding::kTowardZero, DetectHost(), 4, in);
  for (size_t i = 0; i < in.size(); ++i) {
    EXPECT_EQ(nearest[i], static_cast<float>(in[i])) << in[i];
  }
  EXPECT_EQ(truncated[0], 1.0f);
  EXPECT_EQ(truncated[1], -1.0f);
  EXPECT_EQ(truncated[2], std::numeric_limits<float>::max());
  EXPECT_EQ(truncated[3], -INFINITY);
  EXPECT_EQ(truncated[4], std::numeric_limits<float>::max());
  EXPECT_EQ(truncated[6], 0.0f);
}

}  // namespace
}  // namespace quern
