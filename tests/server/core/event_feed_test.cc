// Tests of the feed of events.
#include "server/core/event_feed.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/fakes/fake_clock.h"

namespace quern {
namespace {

class EventFeedTest : public testing::Test {
 protected:
  FakeClock clock_;
  std::unique_ptr<EventFeed> feed_ = NewEventFeed(2, clock_);
};

TEST_F(EventFeedTest, AWatcherSeesWhatIsPublishedWhileItWatches) {
  std::vector<Event> seen;
  feed_->Publish({.kind = EventKind::kZygoteRestarted});
  const uint64_t ticket =
      *feed_->Watch([&seen](const Event* event) { seen.push_back(*event); });
  feed_->Publish({.kind = EventKind::kSlabRetired, .slab = 7});
  feed_->Leave(ticket);
  feed_->Publish({.kind = EventKind::kZygoteRestarted});
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].kind, EventKind::kSlabRetired);
  EXPECT_EQ(seen[0].slab, 7u);
  EXPECT_EQ(seen[0].time, clock_.Now());
}

TEST_F(EventFeedTest, AsManyWatchAsMayAndNoMore) {
  const uint64_t first = *feed_->Watch([](const Event*) {});
  EXPECT_TRUE(feed_->Watch([](const Event*) {}).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(
      feed_->Watch([](const Event*) {}).status()));
  feed_->Leave(first);
  EXPECT_TRUE(feed_->Watch([](const Event*) {}).ok());
}

TEST_F(EventFeedTest, ClosingIsToldOnceAndNobodyMayWatchAfterIt) {
  int ends = 0;
  ASSERT_TRUE(
      feed_->Watch([&ends](const Event* event) { ends += event == nullptr; })
          .ok());
  feed_->Close();
  feed_->Close();
  feed_->Publish({});
  EXPECT_EQ(ends, 1);
  EXPECT_TRUE(
      absl::IsUnavailable(feed_->Watch([](const Event*) {}).status()));
}

TEST_F(EventFeedTest, NobodyIsCalledAfterLeaving) {
  std::atomic<bool> end = false;
  std::thread publisher([this, &end] {
    while (!end) feed_->Publish({});
  });
  for (int i = 0; i < 200; ++i) {
    std::atomic<bool> here = true;
    const uint64_t ticket =
        *feed_->Watch([&here](const Event*) { EXPECT_TRUE(here); });
    feed_->Leave(ticket);
    here = false;
  }
  end = true;
  publisher.join();
}

}  // namespace
}  // namespace quern
