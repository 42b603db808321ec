// Tests of what is recorded of the kernel service's work.
#include "server/core/recording_observer.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/fakes/fake_clock.h"

namespace quern {
namespace {

class RecordingObserverTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(
        feed_->Watch([this](const Event* event) { seen_.push_back(*event); })
            .ok());
  }

  FakeClock clock_;
  KernelLatencies latencies_;
  std::unique_ptr<EventFeed> feed_ = NewEventFeed(1, clock_);
  std::unique_ptr<ReproducerWriter> writer_ =
      NewReproducerWriter(NewNoReproducerStore(), *feed_);
  std::unique_ptr<KernelObserver> observer_ =
      NewRecordingObserver(latencies_, *feed_, *writer_);
  std::vector<Event> seen_;
};

TEST_F(RecordingObserverTest, HitsAndMissesAreTimedApart) {
  observer_->OnAnswer(absl::OkStatus(), true, absl::Microseconds(50));
  observer_->OnAnswer(absl::OkStatus(), false, absl::Milliseconds(9));
  EXPECT_EQ(latencies_.hit.Snapshot().sum, absl::Microseconds(50));
  EXPECT_EQ(latencies_.miss.Snapshot().sum, absl::Milliseconds(9));
  EXPECT_TRUE(seen_.empty());
}

TEST_F(RecordingObserverTest, AFailureIsAnEventAndNoLatency) {
  observer_->OnAnswer(absl::UnimplementedError("scan at line 3"), false,
                      absl::Milliseconds(9));
  EXPECT_EQ(latencies_.miss.Snapshot().count(), 0u);
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].kind, EventKind::kCompileFailed);
  EXPECT_EQ(seen_[0].code, absl::StatusCode::kUnimplemented);
  EXPECT_TRUE(seen_[0].cause.empty());
}

TEST_F(RecordingObserverTest, ACompileIsTimedInItsPartsAndIsAnEvent) {
  CompileTimings timings;
  timings.queue = absl::Milliseconds(2);
  timings.parse = absl::Milliseconds(3);
  timings.generate = absl::Milliseconds(4);
  timings.publish = absl::Milliseconds(50);
  observer_->OnCompiled(KernelKey{}, timings);
  EXPECT_EQ(latencies_.queue.Snapshot().sum, absl::Milliseconds(2));
  EXPECT_EQ(latencies_.compile.Snapshot().sum, absl::Milliseconds(7));
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].kind, EventKind::kKernelCompiled);
  EXPECT_EQ(seen_[0].key, KernelKey{});
  EXPECT_EQ(seen_[0].duration, absl::Milliseconds(7));
}

}  // namespace
}  // namespace quern
