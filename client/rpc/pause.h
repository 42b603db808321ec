// Waiting for a while.
#ifndef QUERN_CLIENT_RPC_PAUSE_H_
#define QUERN_CLIENT_RPC_PAUSE_H_

#include <poll.h>

#include "absl/time/time.h"

namespace quern {

// Returns after `duration`, or sooner if a signal comes.
inline void Pause(absl::Duration duration) {
  const timespec time = absl::ToTimespec(duration);
  ::ppoll(nullptr, 0, &time, nullptr);
}

}  // namespace quern

#endif  // QUERN_CLIENT_RPC_PAUSE_H_
