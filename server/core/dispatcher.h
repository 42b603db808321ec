// Brings compile jobs to the pool, never more at a time than it has processes.
#ifndef QUERN_SERVER_CORE_DISPATCHER_H_
#define QUERN_SERVER_CORE_DISPATCHER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "server/core/admission_queue.h"
#include "server/core/clock.h"
#include "server/core/compiler_pool.h"
#include "server/core/session.h"

namespace quern {

struct DispatcherStats {
  uint64_t queued = 0;
  uint64_t running = 0;
};

// Thread-safe. Calls back with no lock held.
class Dispatcher {
 public:
  virtual ~Dispatcher() = default;

  // Runs `job` under `number`, which is not in use, when its turn comes. On OK
  // `done` is called exactly once, with what CompilerPool::Start documents;
  // DeadlineExceeded also if the turn came too late.
  //
  // ResourceExhausted: the queue is full; `done` is not called.
  virtual absl::Status Submit(uint64_t number, const SessionId& session,
                              CompileJob job,
                              std::shared_ptr<const Deadline> deadline,
                              CompilerPool::Done done) = 0;

  // Lets the job of that number, if it is queued, go by the turns of `session`
  // as well.
  virtual void Join(uint64_t number, const SessionId& session) = 0;

  // Takes that back: the job goes by the turns of the others. Does nothing if
  // there are none.
  virtual void Leave(uint64_t number, const SessionId& session) = 0;

  // Ends the job with Cancelled, if it has not ended yet.
  virtual void Cancel(uint64_t number) = 0;

  virtual DispatcherStats GetStats() = 0;
};

// `pool` and `clock` must outlive the result.
std::unique_ptr<Dispatcher> NewDispatcher(std::unique_ptr<AdmissionQueue> queue,
                                          CompilerPool& pool,
                                          uint32_t running_max, Clock& clock);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_DISPATCHER_H_
