// A steady clock.
#include "server/core/clock.h"

#include <chrono>

#include "absl/time/clock.h"

namespace quern {
namespace {

class SteadyClock final : public Clock {
 public:
  absl::Time Now() override {
    return begin_ +
           absl::FromChrono(std::chrono::steady_clock::now() - steady_begin_);
  }

 private:
  const absl::Time begin_ = absl::Now();
  const std::chrono::steady_clock::time_point steady_begin_ =
      std::chrono::steady_clock::now();
};

}  // namespace

std::unique_ptr<Clock> NewSystemClock() {
  return std::make_unique<SteadyClock>();
}

}  // namespace quern
