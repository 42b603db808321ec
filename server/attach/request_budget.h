// How many requests a client may send: a burst, and a rate after it.
#ifndef QUERN_SERVER_ATTACH_REQUEST_BUDGET_H_
#define QUERN_SERVER_ATTACH_REQUEST_BUDGET_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace quern {

// A value. Not thread-safe.
class RequestBudget final {
 public:
  RequestBudget(uint32_t burst_max, uint32_t per_second_max, absl::Time now)
      : cost_(absl::Seconds(1) / per_second_max),
        burst_(burst_max * cost_),
        paid_until_(now) {}

  // Takes one request out. False: none is left.
  bool Take(absl::Time now) {
    const absl::Time paid_until = std::max(paid_until_, now) + cost_;
    if (paid_until - now > burst_) return false;
    paid_until_ = paid_until;
    return true;
  }

 private:
  absl::Duration cost_;  // The time that earns one request.
  absl::Duration burst_;
  absl::Time paid_until_;
};

}  // namespace quern

#endif  // QUERN_SERVER_ATTACH_REQUEST_BUDGET_H_
