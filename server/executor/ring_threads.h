// Threads that serve rings, one each.
//
// They all start at once, because a confined process cannot start threads; one
// without a ring sleeps.
#ifndef QUERN_SERVER_EXECUTOR_RING_THREADS_H_
#define QUERN_SERVER_EXECUTOR_RING_THREADS_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "proto/wire/ring.h"
#include "server/executor/launch_runner.h"

namespace quern {

// Its methods are for one thread.
class RingThreads {
 public:
  virtual ~RingThreads() = default;

  // Serves `ring` as `id`. Waits at most 2 s for a thread, if one is about to
  // end with a ring that was closed.
  //
  // ResourceExhausted: every thread has a ring.
  virtual absl::Status Open(uint32_t id, RingExecutor ring) = 0;

  // Lets go of the ring `id` after the launch that runs, if one does. Launches
  // that have not begun do not run. Does not wait.
  virtual void Close(uint32_t id) = 0;

  // Orders this thread after every launch whose completion a client has seen:
  // what these used may then be taken away.
  virtual void Synchronize() = 0;
};

// Starts `count` threads, and waits until each has begun: what a thread of
// libc's does first, a sandbox need not allow. The end of the result waits for
// launches that run. `runner` must outlive it.
std::unique_ptr<RingThreads> StartRingThreads(uint32_t count,
                                              LaunchRunner& runner);

}  // namespace quern

#endif  // QUERN_SERVER_EXECUTOR_RING_THREADS_H_
