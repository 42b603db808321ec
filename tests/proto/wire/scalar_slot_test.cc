// Tests of numbers as launch arguments.
#include "proto/wire/scalar_slot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "proto/wire/image_format.h"

namespace quern {
namespace {

struct Width {
  uint8_t kind;
  int64_t least;
  int64_t most;
};

TEST(ScalarSlotTest, SignedAndUnsignedValuesOfAWidthAreTakenAndNoOthers) {
  for (const Width& width : {Width{QUERN_ARGUMENT_I1, -1, 1},
                             Width{QUERN_ARGUMENT_I8, -128, 255},
                             Width{QUERN_ARGUMENT_I16, -32768, 65535},
                             Width{QUERN_ARGUMENT_I32, -2147483648,
                                   4294967295}}) {
    const auto most = static_cast<uint64_t>(width.most);
    EXPECT_EQ(*IntegerSlot(width.most, width.kind), most);
    EXPECT_EQ(*IntegerSlot(-1, width.kind), most);
    EXPECT_EQ(*IntegerSlot(width.least, width.kind), most / 2 + 1);
    EXPECT_FALSE(IntegerSlot(width.most + 1, width.kind).ok());
    EXPECT_FALSE(IntegerSlot(width.least - 1, width.kind).ok());
  }
  EXPECT_EQ(*IntegerSlot(std::numeric_limits<int64_t>::min(),
                         QUERN_ARGUMENT_I64),
            uint64_t{1} << 63);
}

TEST(ScalarSlotTest, FloatsAreRoundedToNearestEven) {
  EXPECT_EQ(FloatSlot(1.0, QUERN_ARGUMENT_F64), 0x3ff0000000000000u);
  EXPECT_EQ(FloatSlot(0.1, QUERN_ARGUMENT_F32), 0x3dcccccdu);
  EXPECT_EQ(FloatSlot(1.0 + 1.0 / 2048, QUERN_ARGUMENT_F16), 0x3c00u);
  EXPECT_EQ(FloatSlot(1.0 + 3.0 / 2048, QUERN_ARGUMENT_F16), 0x3c02u);
  EXPECT_EQ(FloatSlot(1.0 + 1.0 / 256, QUERN_ARGUMENT_BF16), 0x3f80u);
  EXPECT_EQ(FloatSlot(1.0 + 3.0 / 256, QUERN_ARGUMENT_BF16), 0x3f82u);
}

TEST(ScalarSlotTest, NanStaysNanAndWhatIsTooLargeBecomesInfinity) {
  EXPECT_EQ(FloatSlot(std::nan(""), QUERN_ARGUMENT_BF16) & 0x7fc0u, 0x7fc0u);
  EXPECT_EQ(FloatSlot(1e6, QUERN_ARGUMENT_F16), 0x7c00u);
  EXPECT_EQ(FloatSlot(-1e39, QUERN_ARGUMENT_F32), 0xff800000u);
  EXPECT_EQ(FloatSlot(3.4e38, QUERN_ARGUMENT_BF16), 0x7f80u);
}

TEST(ScalarSlotTest, KindsAreToldApart) {
  EXPECT_FALSE(IsIntegerKind(QUERN_ARGUMENT_POINTER));
  EXPECT_TRUE(IsIntegerKind(QUERN_ARGUMENT_I1));
  EXPECT_TRUE(IsIntegerKind(QUERN_ARGUMENT_I64));
  EXPECT_FALSE(IsIntegerKind(QUERN_ARGUMENT_F16));
  EXPECT_FALSE(IsFloatKind(QUERN_ARGUMENT_I64));
  EXPECT_TRUE(IsFloatKind(QUERN_ARGUMENT_F16));
  EXPECT_TRUE(IsFloatKind(QUERN_ARGUMENT_F64));
}

}  // namespace
}  // namespace quern
