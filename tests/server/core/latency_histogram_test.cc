// Tests of the histogram of latencies.
#include "server/core/latency_histogram.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace quern {
namespace {

TEST(LatencyHistogramTest, ABucketHoldsWhatIsUpToItsLimit) {
  for (size_t bucket = 0; bucket + 1 < kLatencyBucketCount; ++bucket) {
    LatencyHistogram histogram;
    histogram.Record(LatencyBucketLimit(bucket));
    histogram.Record(LatencyBucketLimit(bucket) + absl::Nanoseconds(1));
    const LatencySnapshot snapshot = histogram.Snapshot();
    EXPECT_EQ(snapshot.counts[bucket], 1u) << bucket;
    EXPECT_EQ(snapshot.counts[bucket + 1], 1u) << bucket;
  }
}

TEST(LatencyHistogramTest, TheExtremesFallIntoTheFirstAndTheLastBucket) {
  LatencyHistogram histogram;
  histogram.Record(absl::ZeroDuration());
  histogram.Record(-absl::Seconds(1));
  histogram.Record(absl::Hours(1));
  const LatencySnapshot snapshot = histogram.Snapshot();
  EXPECT_EQ(snapshot.counts.front(), 2u);
  EXPECT_EQ(snapshot.counts.back(), 1u);
  EXPECT_EQ(snapshot.sum, absl::Hours(1));
}

TEST(LatencyHistogramTest, QuantilesLieWithinTheBucketOfTheirRank) {
  LatencyHistogram histogram;
  for (int i = 0; i < 90; ++i) histogram.Record(absl::Microseconds(100));
  for (int i = 0; i < 10; ++i) histogram.Record(absl::Milliseconds(50));
  const LatencySnapshot snapshot = histogram.Snapshot();
  EXPECT_EQ(snapshot.count(), 100u);
  EXPECT_GT(snapshot.Quantile(0.5), absl::Microseconds(64));
  EXPECT_LE(snapshot.Quantile(0.9), absl::Microseconds(128));
  EXPECT_GT(snapshot.Quantile(0.99), absl::Microseconds(32768));
  EXPECT_EQ(snapshot.Quantile(1), absl::Microseconds(65536));
}

TEST(LatencyHistogramTest, QuantilesOfNothingAreZero) {
  EXPECT_EQ(LatencySnapshot().Quantile(0.5), absl::ZeroDuration());
}

TEST(LatencyHistogramTest, NothingIsLostBetweenThreads) {
  LatencyHistogram histogram;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&histogram] {
      for (int j = 0; j < 10000; ++j) histogram.Record(absl::Microseconds(3));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(histogram.Snapshot().count(), 40000u);
  EXPECT_EQ(histogram.Snapshot().sum, absl::Milliseconds(120));
}

}  // namespace
}  // namespace quern
