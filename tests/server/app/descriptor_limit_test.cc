// Tests of the limit on descriptors.
#include "server/app/descriptor_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace quern {
namespace {

TEST(DescriptorLimitTest, TheSoftLimitRisesToWhatIsWantedAndNeverFalls) {
  rlimit limit{.rlim_cur = 100, .rlim_max = 200};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(RaiseDescriptorLimit(150), 150u);
  EXPECT_EQ(RaiseDescriptorLimit(120), 150u);
  EXPECT_EQ(RaiseDescriptorLimit(201), 200u);
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, 200u);
}

TEST(DescriptorLimitTest, EverySessionHasItsShare) {
  EXPECT_EQ(DescriptorsFor(256, 64) - DescriptorsFor(255, 64), 8u + 64u);
}

}  // namespace
}  // namespace quern
