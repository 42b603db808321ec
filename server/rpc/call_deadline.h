// A call's deadline, by the daemon's clock.
#ifndef QUERN_SERVER_RPC_CALL_DEADLINE_H_
#define QUERN_SERVER_RPC_CALL_DEADLINE_H_

#include <chrono>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/core/clock.h"

namespace quern {

// `deadline` as gRPC has it, in the time of day of this moment: its client sent
// how long it waits. A call without a deadline has one that never comes.
inline absl::Time DeadlineBy(Clock& clock,
                             std::chrono::system_clock::time_point deadline,
                             absl::Time time_of_day = absl::Now()) {
  if (deadline == std::chrono::system_clock::time_point::max()) {
    return absl::InfiniteFuture();
  }
  return clock.Now() + (absl::FromChrono(deadline) - time_of_day);
}

}  // namespace quern

#endif  // QUERN_SERVER_RPC_CALL_DEADLINE_H_
