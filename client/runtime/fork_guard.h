// Tells a process that it is a forked copy of the one that made the guard.
//
// Threads, sockets and locks of the parent must not be used in such a child.
// The guard is a page that the kernel wipes in the child, so that asking costs
// one load and no system call. Thread-safe.
#ifndef QUERN_CLIENT_RUNTIME_FORK_GUARD_H_
#define QUERN_CLIENT_RUNTIME_FORK_GUARD_H_

#include <atomic>
#include <memory>

#include "absl/status/statusor.h"

namespace quern {

class ForkGuard final {
 public:
  // ResourceExhausted: no memory. Internal: the kernel cannot wipe pages on
  // fork (before Linux 4.14).
  static absl::StatusOr<std::unique_ptr<ForkGuard>> Create();

  ForkGuard(const ForkGuard&) = delete;
  ForkGuard& operator=(const ForkGuard&) = delete;
  ~ForkGuard();

  // Whether this process is not the one that called Create.
  bool Forked() const { return mark_->load(std::memory_order_relaxed) == 0; }

 private:
  explicit ForkGuard(std::atomic<int>* mark) : mark_(mark) {}

  std::atomic<int>* mark_;  // At the start of a page of its own.
};

}  // namespace quern

#endif  // QUERN_CLIENT_RUNTIME_FORK_GUARD_H_
