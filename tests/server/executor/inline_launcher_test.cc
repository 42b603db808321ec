// Tests of the queue of inline launches. Launches that run are the system
// test's; here no connection can be had.
#include "server/executor/inline_launcher.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>

#include "tests/fakes/fake_clock.h"

namespace quern {
namespace {

class InlineLauncherTest : public testing::Test {
 protected:
  ~InlineLauncherTest() override { Release(); }

  // Waits until Release, and gives no connection.
  absl::StatusOr<UniqueFd> Attach() {
    std::unique_lock lock(mutex_);
    ++attaching_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return released_; });
    return absl::ResourceExhaustedError("no descriptors");
  }

  void AwaitAttaching(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, count] { return attaching_ >= count; });
  }

  void Release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

  void Launch(uint64_t call, const SessionId& session,
              absl::Time deadline = absl::InfiniteFuture()) {
    launcher_->Launch(call, session, deadline, {},
                      [this, call](const absl::StatusOr<InlineResult>& result) {
                        const std::lock_guard lock(mutex_);
                        results_[call] = result.status().code();
                        order_.push_back(call);
                        changed_.notify_all();
                      });
  }

  absl::StatusCode Result(uint64_t call) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, call] { return results_.contains(call); });
    return results_[call];
  }

  FakeClock clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int attaching_ = 0;
  bool released_ = false;
  std::map<uint64_t, absl::StatusCode> results_;
  std::vector<uint64_t> order_;
  std::unique_ptr<InlineLauncher> launcher_ = NewInlineLauncher(
      {.threads = 1,
       .queue = {.queued_max = 4, .queued_per_session_max = 3}},
      [this] { return Attach(); }, clock_);
};

TEST_F(InlineLauncherTest, WithoutAConnectionALaunchFails) {
  Release();
  Launch(1, "a");
  EXPECT_EQ(Result(1), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(launcher_->GetStats().failures, 1u);
}

TEST_F(InlineLauncherTest, SessionsTakeTurns) {
  Launch(1, "a");
  AwaitAttaching(1);
  Launch(2, "a");
  Launch(3, "a");
  Launch(4, "b");
  EXPECT_EQ(launcher_->GetStats().queued, 3u);
  Release();
  Result(3);
  EXPECT_EQ(order_, (std::vector<uint64_t>{1, 2, 4, 3}));
}

TEST_F(InlineLauncherTest, AsManyWaitAsMayAndAreRefusedAtOnceBeyond) {
  Launch(1, "a");
  AwaitAttaching(1);
  for (uint64_t call = 2; call <= 4; ++call) Launch(call, "a");
  Launch(5, "a");
  EXPECT_EQ(Result(5), absl::StatusCode::kResourceExhausted);
  Launch(6, "b");
  Launch(7, "c");
  EXPECT_EQ(Result(7), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(results_.size(), 2u);
}

TEST_F(InlineLauncherTest, WhatWaitsCanBeCancelled) {
  Launch(1, "a");
  AwaitAttaching(1);
  Launch(2, "a");
  launcher_->Cancel(2);
  EXPECT_EQ(Result(2), absl::StatusCode::kCancelled);
  launcher_->Cancel(99);
}

TEST_F(InlineLauncherTest, WhoseDeadlineHasPassedIsNotBegun) {
  Launch(1, "a");
  AwaitAttaching(1);
  Launch(2, "a", clock_.Now() + absl::Seconds(1));
  clock_.Advance(absl::Seconds(1));
  Release();
  EXPECT_EQ(Result(2), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(attaching_, 1);
}

TEST_F(InlineLauncherTest, AfterTheEndNothingRuns) {
  Launch(1, "a");
  AwaitAttaching(1);
  Launch(2, "a");
  Release();
  launcher_->Stop();
  Launch(3, "a");
  EXPECT_EQ(Result(3), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(results_.contains(1));
  EXPECT_TRUE(results_.contains(2));
}

}  // namespace
}  // namespace quern
