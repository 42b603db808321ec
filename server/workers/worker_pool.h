// The pool of compile children: keeps some ready, gives each one job, and
// outlives whatever a job does to its child or to the zygote.
#ifndef QUERN_SERVER_WORKERS_WORKER_POOL_H_
#define QUERN_SERVER_WORKERS_WORKER_POOL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "server/core/clock.h"
#include "server/core/compiler_gate.h"
#include "server/core/compiler_pool.h"
#include "server/core/logger.h"
#include "server/workers/zygote_process.h"

namespace quern {

struct WorkerPoolOptions {
  ZygoteSetup setup;
  // How many children are kept ready. The caller gives no more jobs at a time.
  uint32_t children_max = 2;
  absl::Duration compile_timeout = absl::Seconds(60);
  // After so many crashes the zygote is executed again.
  uint32_t crashes_per_zygote_max = 16;
  // Longer results are not accepted.
  size_t result_size_bytes_max = size_t{32} << 20;
};

// Called from the pool's thread.
struct WorkerPoolEvents {
  // A zygote is ready to compile. An error says that this compiler must not be
  // used, and why.
  std::function<absl::Status(const CompilerIdentity&)> on_ready;
  // There is no compiler now; on_ready may follow.
  std::function<void(const absl::Status& reason)> on_unavailable;
  // A child ended without a result. `cause` is the name of a counter in
  // CompilerPoolStats::children_dead.
  std::function<void(std::string_view cause)> on_death =
      [](std::string_view) {};
  // A zygote was started in the place of another.
  std::function<void()> on_zygote_restart = [] {};
};

// Starts the pool and its thread. `starter`, `clock` and `logger` must outlive
// the result, whose end kills the children and ends open jobs with Cancelled.
//
// ResourceExhausted: no descriptors or threads.
absl::StatusOr<std::unique_ptr<CompilerPool>> StartWorkerPool(
    const WorkerPoolOptions& options, WorkerPoolEvents events,
    ZygoteStarter& starter, Clock& clock, Logger& logger);

}  // namespace quern

#endif  // QUERN_SERVER_WORKERS_WORKER_POOL_H_
