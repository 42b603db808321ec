// From a submission in a ring to a run of the kernel.
#ifndef QUERN_SERVER_EXECUTOR_LAUNCH_RUNNER_H_
#define QUERN_SERVER_EXECUTOR_LAUNCH_RUNNER_H_

#include "client/runtime/launcher.h"
#include "proto/wire/ring.h"
#include "server/executor/session_memory.h"

namespace quern {

// Puts the arguments of `kernel` into `args`, which has room for
// QUERN_RING_ARGUMENTS_MAX, or says what is wrong with those of `launch`.
RingResult ResolveArguments(const quern_ring_submission& launch,
                            const quern_image_header& kernel,
                            const SessionMemory& memory, uint64_t* args);

// Thread-safe. Running allocates nothing, unless a kernel needs more scratch
// than was ever needed at once.
class LaunchRunner final {
 public:
  // Both must outlive the runner.
  LaunchRunner(const SessionMemory& memory, Launcher& launcher)
      : memory_(memory), launcher_(launcher) {}

  // Checks `launch`, which is anything but does not change, turns its words
  // into arguments, and runs it.
  RingResult Run(const quern_ring_submission& launch);

 private:
  const SessionMemory& memory_;
  Launcher& launcher_;
};

}  // namespace quern

#endif  // QUERN_SERVER_EXECUTOR_LAUNCH_RUNNER_H_
