// Words of a command line as launch arguments.
#include "client/cli/argument_values.h"

#include <cstring>
#include <string>

#include "gtest/gtest.h"

namespace quern {
namespace {

struct ScalarCase {
  std::string name;
  std::string word;
  uint8_t kind;
  uint64_t slot;
};

class ScalarTest : public testing::TestWithParam<ScalarCase> {};

TEST_P(ScalarTest, HasTheKernelsBits) {
  const auto slot = ScalarSlot(GetParam().word, GetParam().kind);
  ASSERT_TRUE(slot.ok()) << slot.status();
  EXPECT_EQ(*slot, GetParam().slot);
}

INSTANTIATE_TEST_SUITE_P(
    Words, ScalarTest,
    testing::ValuesIn<ScalarCase>({
        {"I1", "1", QUERN_ARGUMENT_I1, 1},
        {"I8Negative", "-128", QUERN_ARGUMENT_I8, 0x80},
        {"I8Unsigned", "255", QUERN_ARGUMENT_I8, 0xff},
        {"I32", "1024", QUERN_ARGUMENT_I32, 1024},
        {"I32Negative", "-1", QUERN_ARGUMENT_I32, 0xffffffff},
        {"I64Least", "-9223372036854775808", QUERN_ARGUMENT_I64,
         0x8000000000000000},
        {"I64LargestUnsigned", "18446744073709551615", QUERN_ARGUMENT_I64,
         0xffffffffffffffff},
        {"F32", "0.5", QUERN_ARGUMENT_F32, 0x3f000000},
        {"F64", "0.5", QUERN_ARGUMENT_F64, 0x3fe0000000000000},
        {"F16", "1", QUERN_ARGUMENT_F16, 0x3c00},
        {"F16Overflows", "1e6", QUERN_ARGUMENT_F16, 0x7c00},
        {"Bf16", "1", QUERN_ARGUMENT_BF16, 0x3f80},
        {"Bf16TiesToEven", "1.00390625", QUERN_ARGUMENT_BF16, 0x3f80},
        {"Bf16RoundsUp", "1.01171875", QUERN_ARGUMENT_BF16, 0x3f82},
        {"Bf16NotANumber", "nan", QUERN_ARGUMENT_BF16, 0x7fc0},
        {"F32Infinity", "-inf", QUERN_ARGUMENT_F32, 0xff800000},
    }),
    [](const auto& info) { return info.param.name; });

TEST(ArgumentValuesTest, NumbersThatDoNotFitAreInvalid) {
  EXPECT_FALSE(ScalarSlot("256", QUERN_ARGUMENT_I8).ok());
  EXPECT_FALSE(ScalarSlot("-129", QUERN_ARGUMENT_I8).ok());
  EXPECT_FALSE(ScalarSlot("4294967296", QUERN_ARGUMENT_I32).ok());
  EXPECT_FALSE(ScalarSlot("18446744073709551616", QUERN_ARGUMENT_I64).ok());
  EXPECT_FALSE(ScalarSlot("0.5", QUERN_ARGUMENT_I32).ok());
  EXPECT_FALSE(ScalarSlot("half", QUERN_ARGUMENT_F32).ok());
}

quern_image_header HeaderOf(std::initializer_list<uint8_t> kinds) {
  quern_image_header header;
  std::memset(&header, 0, sizeof(header));
  for (const uint8_t kind : kinds) {
    header.argument_kinds[header.argument_count++] = kind;
  }
  return header;
}

TEST(ArgumentValuesTest, WordsMustFitTheirArguments) {
  const auto header = HeaderOf({QUERN_ARGUMENT_POINTER, QUERN_ARGUMENT_I32});
  const auto code = [&header](const std::vector<std::string>& words) {
    return ArgumentValues::Parse(words, header).status().code();
  };
  EXPECT_EQ(code({"@/tmp/no/such.npy"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"1", "2"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"@/tmp/no/such.npy", "1"}), absl::StatusCode::kNotFound);
  EXPECT_EQ(code({"@/tmp/no/such.npy:out", "1"}), absl::StatusCode::kNotFound);
}

TEST(ArgumentValuesTest, ScalarsFillTheSlotsInOrder) {
  const auto header = HeaderOf({QUERN_ARGUMENT_I32, QUERN_ARGUMENT_F32});
  const auto values = ArgumentValues::Parse({"7", "0.5"}, header);
  ASSERT_TRUE(values.ok()) << values.status();
  EXPECT_EQ(values->slots(), (std::vector<uint64_t>{7, 0x3f000000}));
}

}  // namespace
}  // namespace quern
