// A clock that stands still until a test moves it.
#ifndef QUERN_TESTS_FAKES_FAKE_CLOCK_H_
#define QUERN_TESTS_FAKES_FAKE_CLOCK_H_

#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/core/clock.h"

namespace quern {

class FakeClock final : public Clock {
 public:
  absl::Time Now() override {
    std::lock_guard lock(mutex_);
    return now_;
  }

  void Advance(absl::Duration duration) {
    std::lock_guard lock(mutex_);
    now_ += duration;
  }

 private:
  std::mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = absl::FromUnixSeconds(1000000000);
};

}  // namespace quern

#endif  // QUERN_TESTS_FAKES_FAKE_CLOCK_H_
