// Tests of the daemon's clock. Nothing here sets the machine's.
#include "server/core/clock.h"

#include <gtest/gtest.h>

#include <chrono>

#include "absl/time/clock.h"

namespace quern {
namespace {

using Steady = std::chrono::steady_clock;

TEST(ClockTest, ItBeginsWithTheTimeOfDay) {
  const absl::Time before = absl::Now();
  const auto clock = NewSystemClock();
  EXPECT_LT(absl::AbsDuration(clock->Now() - before), absl::Minutes(1));
}

// It goes by the steady clock and by nothing else: at any distance in time,
// it agrees with two readings of that around its own.
TEST(ClockTest, ItGoesOnAsTheSteadyClockDoes) {
  const auto clock = NewSystemClock();
  const Steady::time_point first_low = Steady::now();
  const absl::Time first = clock->Now();
  const Steady::time_point first_high = Steady::now();
  absl::SleepFor(absl::Milliseconds(50));
  const Steady::time_point second_low = Steady::now();
  const absl::Time second = clock->Now();
  const Steady::time_point second_high = Steady::now();
  // Absolute times are rounded to parts of a nanosecond.
  EXPECT_GE(second - first + absl::Nanoseconds(2),
            absl::FromChrono(second_low - first_high));
  EXPECT_LE(second - first - absl::Nanoseconds(2),
            absl::FromChrono(second_high - first_low));
}

}  // namespace
}  // namespace quern
