// Buckets by the position of the highest bit.
#include "server/core/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace quern {
namespace {

size_t BucketOf(uint64_t latency_ns) {
  const uint64_t microseconds = (latency_ns + 999) / 1000;
  if (microseconds <= 1) return 0;
  const size_t bucket = std::bit_width(microseconds - 1);
  return std::min(bucket, kLatencyBucketCount - 1);
}

}  // namespace

absl::Duration LatencyBucketLimit(size_t bucket) {
  if (bucket + 1 >= kLatencyBucketCount) return absl::InfiniteDuration();
  return absl::Microseconds(int64_t{1} << bucket);
}

uint64_t LatencySnapshot::count() const {
  return std::accumulate(counts.begin(), counts.end(), uint64_t{0});
}

absl::Duration LatencySnapshot::Quantile(double quantile) const {
  const auto total = static_cast<double>(count());
  if (total == 0) return absl::ZeroDuration();
  const double rank = std::clamp(quantile, 0.0, 1.0) * total;
  double before = 0;
  absl::Duration lower;
  for (size_t i = 0; i + 1 < counts.size(); ++i) {
    const absl::Duration upper = LatencyBucketLimit(i);
    const auto here = static_cast<double>(counts[i]);
    if (here > 0 && before + here >= rank) {
      return lower + (upper - lower) * ((rank - before) / here);
    }
    before += here;
    lower = upper;
  }
  return lower;  // The last bucket has no upper end to reach for.
}

void LatencyHistogram::Record(absl::Duration latency) {
  const auto nanoseconds = static_cast<uint64_t>(
      std::max<int64_t>(absl::ToInt64Nanoseconds(latency), 0));
  counts_[BucketOf(nanoseconds)].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(nanoseconds, std::memory_order_relaxed);
}

LatencySnapshot LatencyHistogram::Snapshot() const {
  LatencySnapshot snapshot;
  for (size_t i = 0; i < counts_.size(); ++i) {
    snapshot.counts[i] = counts_[i].load(std::memory_order_relaxed);
  }
  snapshot.sum = absl::Nanoseconds(
      static_cast<int64_t>(sum_ns_.load(std::memory_order_relaxed)));
  return snapshot;
}

}  // namespace quern
