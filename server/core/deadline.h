// A deadline that its owner may put off while others go by it.
#ifndef QUERN_SERVER_CORE_DEADLINE_H_
#define QUERN_SERVER_CORE_DEADLINE_H_

#include <atomic>

#include "absl/time/time.h"

namespace quern {

// Thread-safe. Resolves nanoseconds; the infinite future stays infinite.
class Deadline final {
 public:
  explicit Deadline(absl::Time time) : nanos_(absl::ToUnixNanos(time)) {}

  absl::Time time() const {
    const int64_t nanos = nanos_.load(std::memory_order_relaxed);
    return nanos == absl::ToUnixNanos(absl::InfiniteFuture())
               ? absl::InfiniteFuture()
               : absl::FromUnixNanos(nanos);
  }

  // Puts the deadline off to `time`, if that is later.
  void Extend(absl::Time time) {
    const int64_t nanos = absl::ToUnixNanos(time);
    int64_t old = nanos_.load(std::memory_order_relaxed);
    while (old < nanos && !nanos_.compare_exchange_weak(
                              old, nanos, std::memory_order_relaxed)) {
    }
  }

 private:
  std::atomic<int64_t> nanos_;
};

}  // namespace quern

#endif  // QUERN_SERVER_CORE_DEADLINE_H_
