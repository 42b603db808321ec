// CPU counts from quotas.
#include "client/runtime/cpu_count.h"

#include <string>

#include "gtest/gtest.h"

namespace quern {
namespace {

struct QuotaCase {
  std::string name;
  std::string text;
  uint32_t count;
};

class QuotaTest : public testing::TestWithParam<QuotaCase> {};

TEST_P(QuotaTest, GivesTheCpusRoundedUp) {
  EXPECT_EQ(CpuCountOfQuota(GetParam().text), GetParam().count);
}

INSTANTIATE_TEST_SUITE_P(Texts, QuotaTest,
                         testing::ValuesIn<QuotaCase>({
                             {"NoLimit", "max 100000\n", 0},
                             {"HalfACpu", "50000 100000\n", 1},
                             {"OneCpu", "100000 100000", 1},
                             {"OneAndABit", "100001 100000", 2},
                             {"FourCpus", "400000 100000", 4},
                             {"Version1WithoutLimit", "-1 100000", 0},
                             {"Empty", "", 0},
                             {"NoPeriod", "100000", 0},
                             {"ZeroPeriod", "100000 0", 0},
                             {"Garbage", "many cpus", 0},
                             {"Huge", "9223372036854775807 1", 8192},
                         }),
                         [](const auto& info) { return info.param.name; });

TEST(CpuCountTest, ThisProcessMayUseAtLeastOne) {
  EXPECT_GE(UsableCpuCount(), 1u);
}

}  // namespace
}  // namespace quern
