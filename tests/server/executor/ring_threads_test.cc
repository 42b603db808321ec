// Rings that come and go while their threads run.
#include "server/executor/ring_threads.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace quern {
namespace {

SharedRegion MapRing(const RingOwner& owner) {
  return *SharedRegion::Map(owner.fd(), owner.size_bytes(), Access::kReadWrite);
}

class RingThreadsTest : public testing::Test {
 protected:
  // Opens a ring, and returns its client's end.
  RingClient Open(uint32_t id) {
    const RingOwner owner = *RingOwner::Create(4);
    EXPECT_TRUE(threads_->Open(id, *RingExecutor::Open(MapRing(owner))).ok());
    return *RingClient::Open(MapRing(owner));
  }

  // Whether a launch comes back; no kernel is loaded, so it does at once.
  static bool Answers(RingClient& ring, absl::Duration timeout) {
    ring.Submit({.tag = 1, .kernel = 1});
    ring.Wake();
    quern_ring_completion done;
    ring.Await(timeout);
    return ring.Take(done) && done.status == QUERN_RING_BAD_KERNEL;
  }

  const std::unique_ptr<SessionMemory> memory_ =
      std::make_unique<SessionMemory>();
  Launcher launcher_{1};
  LaunchRunner runner_{*memory_, launcher_};
  std::unique_ptr<RingThreads> threads_ = StartRingThreads(2, runner_);
};

TEST_F(RingThreadsTest, EachRingIsServed) {
  RingClient first = Open(1);
  RingClient second = Open(2);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(Answers(first, absl::Seconds(60)));
    EXPECT_TRUE(Answers(second, absl::Seconds(60)));
  }
}

TEST_F(RingThreadsTest, AsManyRingsAsThreadsAndNoMore) {
  RingClient first = Open(1);
  RingClient second = Open(2);
  const RingOwner owner = *RingOwner::Create(4);
  EXPECT_TRUE(absl::IsResourceExhausted(
      threads_->Open(3, *RingExecutor::Open(MapRing(owner)))));
  // A thread is given back also while it spins or sleeps.
  for (uint32_t id = 4; id < 40; ++id) {
    threads_->Close(id == 4 ? 1 : id - 1);
    RingClient next = Open(id);
    EXPECT_TRUE(Answers(next, absl::Seconds(60)));
  }
  EXPECT_TRUE(Answers(second, absl::Seconds(60)));
}

TEST_F(RingThreadsTest, AClosedRingIsNotServed) {
  RingClient ring = Open(1);
  threads_->Close(1);
  RingClient other = Open(2);
  RingClient third = Open(3);  // Waits until the first has ended.
  EXPECT_FALSE(Answers(ring, absl::Milliseconds(10)));
  EXPECT_TRUE(Answers(third, absl::Seconds(60)));
}

TEST_F(RingThreadsTest, TheEndDoesNotWaitForSleepers) {
  RingClient ring = Open(1);
  EXPECT_TRUE(Answers(ring, absl::Seconds(60)));
  threads_.reset();  // They sleep until somebody wakes them.
}

}  // namespace
}  // namespace quern
