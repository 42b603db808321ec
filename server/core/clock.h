// The time, as a parameter.
//
// The daemon measures with it: time-outs, budgets, durations, ages. That works
// only with a clock that nobody sets, so its times are the time of day only
// about: compare them with each other, and never with absl::Now(). What is of
// the time of day (a call's deadline, as gRPC tells it) is turned into one of
// these times where it comes in.
#ifndef QUERN_SERVER_CORE_CLOCK_H_
#define QUERN_SERVER_CORE_CLOCK_H_

#include <memory>

#include "absl/time/time.h"

namespace quern {

// Thread-safe. The time never goes back.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() = 0;
};

// A clock that begins with the time of day and goes on steadily from there,
// whatever the machine's clock is set to. It stands still while the machine
// sleeps.
std::unique_ptr<Clock> NewSystemClock();

}  // namespace quern

#endif  // QUERN_SERVER_CORE_CLOCK_H_
