// Tests of the dispatcher, over a fake pool and a fake clock.
#include "server/core/dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_compiler_pool.h"

namespace quern {
namespace {

using testing::ElementsAre;

class DispatcherTest : public testing::Test {
 protected:
  absl::Status Submit(uint64_t number,
                      absl::Time deadline = absl::InfiniteFuture()) {
    return dispatcher_->Submit(number, "session", {.key = FakeKey(1)},
                               std::make_shared<Deadline>(deadline),
                               [this, number](CompileOutcome outcome) {
                                 ended_[number] = std::move(outcome);
                               });
  }

  FakeClock clock_;
  FakeCompilerPool pool_;
  std::map<uint64_t, CompileOutcome> ended_;
  std::unique_ptr<Dispatcher> dispatcher_ = NewDispatcher(
      NewAdmissionQueue({.queued_max = 3, .queued_per_session_max = 3}), pool_,
      2, clock_);
};

TEST_F(DispatcherTest, NoMoreJobsRunThanThereAreProcesses) {
  for (uint64_t job = 1; job <= 4; ++job) ASSERT_TRUE(Submit(job).ok());
  EXPECT_EQ(pool_.started(), 2u);
  EXPECT_EQ(dispatcher_->GetStats().queued, 2u);
  EXPECT_EQ(dispatcher_->GetStats().running, 2u);
  pool_.Succeed(1);
  EXPECT_EQ(pool_.started(), 3u);
  EXPECT_TRUE(ended_.at(1).status.ok());
}

TEST_F(DispatcherTest, WhatRunsDoesNotCountAsQueued) {
  for (uint64_t job = 1; job <= 5; ++job) EXPECT_TRUE(Submit(job).ok()) << job;
  EXPECT_TRUE(absl::IsResourceExhausted(Submit(6)));
}

TEST_F(DispatcherTest, TheTimeInTheQueueIsReported) {
  for (uint64_t job = 1; job <= 3; ++job) ASSERT_TRUE(Submit(job).ok());
  clock_.Advance(absl::Milliseconds(7));
  pool_.Succeed(1);
  pool_.Succeed(3);
  EXPECT_EQ(ended_.at(1).timings.queue, absl::ZeroDuration());
  EXPECT_EQ(ended_.at(3).timings.queue, absl::Milliseconds(7));
}

TEST_F(DispatcherTest, AJobWhoseTurnComesTooLateIsNotRun) {
  ASSERT_TRUE(Submit(1).ok());
  ASSERT_TRUE(Submit(2).ok());
  ASSERT_TRUE(Submit(3, clock_.Now() + absl::Seconds(1)).ok());
  clock_.Advance(absl::Seconds(1));
  pool_.Succeed(1);
  EXPECT_EQ(pool_.started(), 2u);
  EXPECT_TRUE(absl::IsDeadlineExceeded(ended_.at(3).status));
}

TEST_F(DispatcherTest, AQueuedJobIsCancelledAtOnce) {
  for (uint64_t job = 1; job <= 3; ++job) ASSERT_TRUE(Submit(job).ok());
  dispatcher_->Cancel(3);
  EXPECT_TRUE(absl::IsCancelled(ended_.at(3).status));
  dispatcher_->Cancel(3);
  pool_.Succeed(1);
  EXPECT_EQ(pool_.started(), 2u);
}

TEST_F(DispatcherTest, ARunningJobIsCancelledByThePool) {
  ASSERT_TRUE(Submit(1).ok());
  dispatcher_->Cancel(1);
  EXPECT_THAT(pool_.cancelled(), ElementsAre(1));
  pool_.Fail(1, absl::CancelledError("cancelled"));
  EXPECT_TRUE(absl::IsCancelled(ended_.at(1).status));
}

}  // namespace
}  // namespace quern
