// The time, as a parameter.
#ifndef QUERN_SERVER_CORE_CLOCK_H_
#define QUERN_SERVER_CORE_CLOCK_H_

#include <memory>

#include "absl/time/time.h"

namespace quern {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() = 0;
};

// The machine's clock.
std::unique_ptr<Clock> NewSystemClock();

}  // namespace quern

#endif  // QUERN_SERVER_CORE_CLOCK_H_
