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
      : burst_max_(burst_max),
        per_second_max_(per_second_max),
        left_(burst_max),
        refilled_at_(now) {}

  // Takes one request out. False: none is left.
  bool Take(absl::Time now) {
    const double earned =
        absl::ToDoubleSeconds(now - refilled_at_) * per_second_max_;
    left_ = std::clamp(left_ + earned, 0.0, burst_max_);
    refilled_at_ = now;
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  double burst_max_;
  double per_second_max_;
  double left_;
  absl::Time refilled_at_;
};

}  // namespace quern

#endif  // QUERN_SERVER_ATTACH_REQUEST_BUDGET_H_
