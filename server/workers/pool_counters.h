// What the pool counts. Written by its thread, read by anybody.
#ifndef QUERN_SERVER_WORKERS_POOL_COUNTERS_H_
#define QUERN_SERVER_WORKERS_POOL_COUNTERS_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/core/compiler_pool.h"
#include "server/sandbox/outcome.h"

namespace quern {

// A counter of ChildDeaths and its name.
struct DeathCause {
  std::string_view name;
  uint64_t ChildDeaths::* counter;
};

// What `outcome` counts as.
inline DeathCause CauseOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDeniedSyscall:
      return {"denied_syscall", &ChildDeaths::denied_syscall};
    case Outcome::kOutOfMemory:
      return {"out_of_memory", &ChildDeaths::out_of_memory};
    case Outcome::kStackOverflow:
      return {"stack_overflow", &ChildDeaths::stack_overflow};
    case Outcome::kTimedOut:
      return {"timed_out", &ChildDeaths::timed_out};
    case Outcome::kKilled:
      return {"killed", &ChildDeaths::killed};
    case Outcome::kExited:
      return {"protocol_error", &ChildDeaths::protocol_error};
    case Outcome::kSetupFailed:
    case Outcome::kCrashed:
      break;
  }
  return {"crashed", &ChildDeaths::crashed};
}

// Thread-safe.
class PoolCounters final {
 public:
  void CountFork() {
    std::lock_guard lock(mutex_);
    ++stats_.children_forked;
  }

  void CountZygoteRestart() {
    std::lock_guard lock(mutex_);
    ++stats_.zygote_restarts;
  }

  // Counts a child that ended without a result.
  void CountDeath(Outcome outcome) {
    std::lock_guard lock(mutex_);
    ++(stats_.children_dead.*CauseOf(outcome).counter);
  }

  void SetSandboxMissing(std::vector<std::string> layers) {
    std::lock_guard lock(mutex_);
    stats_.sandbox_missing = std::move(layers);
  }

  CompilerPoolStats Get() {
    std::lock_guard lock(mutex_);
    return stats_;
  }

 private:
  std::mutex mutex_;
  CompilerPoolStats stats_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace quern

#endif  // QUERN_SERVER_WORKERS_POOL_COUNTERS_H_
