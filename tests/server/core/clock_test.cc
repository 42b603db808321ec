// Tests of the daemon's clock. The machine's is not set: this program has its
// own clock_gettime(2), which says that it was.
#include "server/core/clock.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <ctime>

#include "absl/time/clock.h"

namespace {

std::atomic<int64_t> set_by_seconds = 0;

}  // namespace

extern "C" int clock_gettime(clockid_t id, timespec* time) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_clock_gettime, id, time));
  if (id == CLOCK_REALTIME) time->tv_sec += set_by_seconds;
  return result;
}

namespace quern {
namespace {

class ClockTest : public testing::TestWithParam<int64_t> {
 protected:
  ~ClockTest() override { set_by_seconds = 0; }
};

TEST_P(ClockTest, SettingTheTimeOfDayDoesNotMoveIt) {
  const auto clock = NewSystemClock();
  const absl::Time before = clock->Now();
  EXPECT_LT(absl::AbsDuration(absl::Now() - before), absl::Minutes(1));
  set_by_seconds = GetParam();
  EXPECT_GT(absl::AbsDuration(absl::Now() - before), absl::Minutes(50));
  absl::SleepFor(absl::Milliseconds(20));
  EXPECT_GE(clock->Now() - before, absl::Milliseconds(19));
  EXPECT_LT(clock->Now() - before, absl::Minutes(1));
}

INSTANTIATE_TEST_SUITE_P(AnHour, ClockTest, testing::Values(-3600, 3600));

}  // namespace
}  // namespace quern
