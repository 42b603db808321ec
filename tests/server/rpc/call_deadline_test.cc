// Deadlines by two clocks that differ.
#include "server/rpc/call_deadline.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace quern {
namespace {

using TimeOfDay = std::chrono::system_clock::time_point;

TEST(CallDeadlineTest, WhatIsLeftByTheTimeOfDayIsLeftByTheClock) {
  FakeClock clock;
  const absl::Time time_of_day = clock.Now() - absl::Hours(5);
  EXPECT_EQ(
      DeadlineBy(clock, absl::ToChronoTime(time_of_day + absl::Seconds(3)),
                 time_of_day),
      clock.Now() + absl::Seconds(3));
  EXPECT_EQ(
      DeadlineBy(clock, absl::ToChronoTime(time_of_day - absl::Seconds(3)),
                 time_of_day),
      clock.Now() - absl::Seconds(3));
}

TEST(CallDeadlineTest, NoDeadlineNeverComes) {
  FakeClock clock;
  EXPECT_EQ(DeadlineBy(clock, TimeOfDay::max()), absl::InfiniteFuture());
}

}  // namespace
}  // namespace quern
