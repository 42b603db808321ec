// The machine's clock.
#include "server/core/clock.h"

#include "absl/time/clock.h"

namespace quern {
namespace {

class SystemClock final : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }
};

}  // namespace

std::unique_ptr<Clock> NewSystemClock() {
  return std::make_unique<SystemClock>();
}

}  // namespace quern
