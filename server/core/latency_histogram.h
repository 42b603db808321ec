// How long something takes: counts in buckets that double in width.
#ifndef QUERN_SERVER_CORE_LATENCY_HISTOGRAM_H_
#define QUERN_SERVER_CORE_LATENCY_HISTOGRAM_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace quern {

// Bucket i holds what took more than 2^(i-1) and at most 2^i microseconds, the
// first also all that was shorter, the last also all that was longer.
inline constexpr size_t kLatencyBucketCount = 28;

// The upper bound of a bucket; infinite for the last.
absl::Duration LatencyBucketLimit(size_t bucket);

struct LatencySnapshot {
  std::array<uint64_t, kLatencyBucketCount> counts{};
  absl::Duration sum;

  uint64_t count() const;

  // The time that the share `quantile` (0 to 1) did not exceed, by even spread
  // within a bucket. Zero if nothing was recorded.
  absl::Duration Quantile(double quantile) const;
};

// Thread-safe; recording takes no lock. A snapshot that is taken while others
// record may count one of theirs and not yet its time.
class LatencyHistogram final {
 public:
  void Record(absl::Duration latency);
  LatencySnapshot Snapshot() const;

 private:
  std::array<std::atomic<uint64_t>, kLatencyBucketCount> counts_{};
  std::atomic<uint64_t> sum_ns_{0};
};

}  // namespace quern

#endif  // QUERN_SERVER_CORE_LATENCY_HISTOGRAM_H_
