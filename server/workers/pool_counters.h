// What the pool counts. Written by its thread, read by anybody.
#ifndef QUERN_SERVER_WORKERS_POOL_COUNTERS_H_
#define QUERN_SERVER_WORKERS_POOL_COUNTERS_H_

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/core/compiler_pool.h"
#include "server/sandbox/outcome.h"

namespace quern {

// The name of the counter of ChildDeaths that `outcome` belongs to.
inline std::string_view CauseOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDeniedSyscall:
      return "denied_syscall";
    case Outcome::kOutOfMemory:
      return "out_of_memory";
    case Outcome::kStackOverflow:
      return "stack_overflow";
    case Outcome::kTimedOut:
      return "timed_out";
    case Outcome::kKilled:
      return "killed";
    case Outcome::kExited:
      return "protocol_error";
    case Outcome::kSetupFailed:
    case Outcome::kCrashed:
      return "crashed";
  }
  return "crashed";
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
    ++CounterOf(outcome);
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
  uint64_t& CounterOf(Outcome outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ChildDeaths& deaths = stats_.children_dead;
    switch (outcome) {
      case Outcome::kDeniedSyscall:
        return deaths.denied_syscall;
      case Outcome::kOutOfMemory:
        return deaths.out_of_memory;
      case Outcome::kStackOverflow:
        return deaths.stack_overflow;
      case Outcome::kTimedOut:
        return deaths.timed_out;
      case Outcome::kKilled:
        return deaths.killed;
      case Outcome::kExited:
        return deaths.protocol_error;
      case Outcome::kSetupFailed:
      case Outcome::kCrashed:
        return deaths.crashed;
    }
    return deaths.crashed;
  }

  std::mutex mutex_;
  CompilerPoolStats stats_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace quern

#endif  // QUERN_SERVER_WORKERS_POOL_COUNTERS_H_
