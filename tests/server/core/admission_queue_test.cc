// Tests of the admission queue.
#include "server/core/admission_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace quern {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr absl::Time kNow = absl::UnixEpoch();

std::shared_ptr<const Deadline> At(absl::Time time) {
  return std::make_shared<Deadline>(time);
}

std::shared_ptr<const Deadline> Never() { return At(absl::InfiniteFuture()); }

TEST(AdmissionQueueTest, AnEmptyQueueHasNoJob) {
  const auto queue = NewAdmissionQueue({});
  EXPECT_EQ(queue->Pop(kNow, {}).job, std::nullopt);
}

TEST(AdmissionQueueTest, OneSessionIsServedInTheOrderOfItsJobs) {
  const auto queue = NewAdmissionQueue({});
  for (uint64_t job = 1; job <= 3; ++job) {
    ASSERT_TRUE(queue->Push("a", job, Never()).ok());
  }
  for (uint64_t job = 1; job <= 3; ++job) {
    EXPECT_EQ(queue->Pop(kNow, {}).job, job);
  }
  EXPECT_EQ(queue->size(), 0u);
}

TEST(AdmissionQueueTest, ASessionWithManyJobsDoesNotHoldUpTheOthers) {
  const auto queue = NewAdmissionQueue({});
  for (uint64_t job = 1; job <= 4; ++job) {
    ASSERT_TRUE(queue->Push("greedy", job, Never()).ok());
  }
  ASSERT_TRUE(queue->Push("modest", 11, Never()).ok());
  ASSERT_TRUE(queue->Push("third", 21, Never()).ok());
  std::vector<uint64_t> order;
  while (const auto job = queue->Pop(kNow, {}).job) order.push_back(*job);
  EXPECT_THAT(order, ElementsAre(1, 11, 21, 2, 3, 4));
}

TEST(AdmissionQueueTest, TheQueueTakesItsLimitAndNoMore) {
  const auto queue =
      NewAdmissionQueue({.queued_max = 256, .queued_per_session_max = 64});
  for (uint64_t job = 0; job < 256; ++job) {
    ASSERT_TRUE(queue->Push(std::to_string(job / 64), job, Never()).ok());
  }
  EXPECT_TRUE(absl::IsResourceExhausted(queue->Push("other", 256, Never())));
  queue->Pop(kNow, {});
  EXPECT_TRUE(queue->Push("other", 256, Never()).ok());
}

TEST(AdmissionQueueTest, ASessionTakesItsShareAndNoMore) {
  const auto queue =
      NewAdmissionQueue({.queued_max = 256, .queued_per_session_max = 64});
  for (uint64_t job = 0; job < 64; ++job) {
    ASSERT_TRUE(queue->Push("a", job, Never()).ok());
  }
  EXPECT_TRUE(absl::IsResourceExhausted(queue->Push("a", 64, Never())));
  EXPECT_TRUE(queue->Push("b", 65, Never()).ok());
}

TEST(AdmissionQueueTest, AJobWhoseDeadlineHasPassedIsNotBegun) {
  const auto queue = NewAdmissionQueue({});
  ASSERT_TRUE(queue->Push("a", 1, At(kNow)).ok());
  ASSERT_TRUE(queue->Push("a", 2, At(kNow + absl::Nanoseconds(1))).ok());
  const AdmittedJob admitted = queue->Pop(kNow, {});
  EXPECT_EQ(admitted.job, 2u);
  EXPECT_THAT(admitted.expired, ElementsAre(1));
}

TEST(AdmissionQueueTest, AnExpiredJobDoesNotCostItsSessionTheTurn) {
  const auto queue = NewAdmissionQueue({});
  ASSERT_TRUE(queue->Push("a", 1, At(kNow)).ok());
  ASSERT_TRUE(queue->Push("a", 2, Never()).ok());
  ASSERT_TRUE(queue->Push("b", 11, Never()).ok());
  EXPECT_EQ(queue->Pop(kNow, {}).job, 2u);
}

TEST(AdmissionQueueTest, ADeadlinePutOffInTimeKeepsTheJob) {
  const auto queue = NewAdmissionQueue({});
  const auto deadline = std::make_shared<Deadline>(kNow);
  ASSERT_TRUE(queue->Push("a", 1, deadline).ok());
  deadline->Extend(kNow + absl::Seconds(1));
  EXPECT_EQ(queue->Pop(kNow, {}).job, 1u);
}

TEST(AdmissionQueueTest, ARemovedJobIsNotServed) {
  const auto queue = NewAdmissionQueue({});
  ASSERT_TRUE(queue->Push("a", 1, Never()).ok());
  ASSERT_TRUE(queue->Push("a", 2, Never()).ok());
  EXPECT_TRUE(queue->Remove(1));
  EXPECT_FALSE(queue->Remove(1));
  EXPECT_EQ(queue->Pop(kNow, {}).job, 2u);
  EXPECT_THAT(queue->Pop(kNow, {}).expired, IsEmpty());
}

TEST(AdmissionQueueTest, AJobOfTwoSessionsGoesByTheEarlierTurn) {
  const auto queue = NewAdmissionQueue({});
  for (uint64_t job = 1; job <= 4; ++job) {
    ASSERT_TRUE(queue->Push("greedy", job, Never()).ok());
  }
  queue->Join("modest", 4);
  queue->Join("modest", 4);
  queue->Join("modest", 99);  // Not queued.
  EXPECT_EQ(queue->size(), 4u);
  std::vector<uint64_t> order;
  while (const auto job = queue->Pop(kNow, {}).job) order.push_back(*job);
  EXPECT_THAT(order, ElementsAre(1, 4, 2, 3));
  EXPECT_EQ(queue->size(), 0u);
}

TEST(AdmissionQueueTest, AJobOfTwoSessionsLeavesBothLines) {
  const auto queue = NewAdmissionQueue({});
  ASSERT_TRUE(queue->Push("a", 1, At(kNow)).ok());
  queue->Join("b", 1);
  ASSERT_TRUE(queue->Push("c", 2, Never()).ok());
  queue->Join("d", 2);
  EXPECT_TRUE(queue->Remove(2));
  EXPECT_THAT(queue->Pop(kNow, {}).expired, ElementsAre(1));
  EXPECT_EQ(queue->size(), 0u);
}

TEST(AdmissionQueueTest, WhoLeavesAJobHasItsPlaceBack) {
  const auto queue =
      NewAdmissionQueue({.queued_max = 9, .queued_per_session_max = 1});
  ASSERT_TRUE(queue->Push("a", 1, Never()).ok());
  queue->Join("b", 1);
  queue->Leave("c", 1);
  EXPECT_TRUE(absl::IsResourceExhausted(queue->Push("b", 2, Never())));
  queue->Leave("b", 1);
  EXPECT_TRUE(queue->Push("b", 2, Never()).ok());
  queue->Leave("a", 1);  // Nobody else has a place for it.
  EXPECT_EQ(queue->size(), 2u);
  EXPECT_EQ(queue->Pop(kNow, {}).job, 1u);
  EXPECT_EQ(queue->Pop(kNow, {}).job, 2u);
}

TEST(AdmissionQueueTest, AFullShareTakesNoPlaceByJoining) {
  const auto queue =
      NewAdmissionQueue({.queued_max = 9, .queued_per_session_max = 1});
  ASSERT_TRUE(queue->Push("a", 1, Never()).ok());
  ASSERT_TRUE(queue->Push("b", 2, Never()).ok());
  queue->Join("a", 2);
  EXPECT_EQ(queue->Pop(kNow, {"b"}).job, 1u);
  EXPECT_EQ(queue->Pop(kNow, {"b"}).job, std::nullopt);
}

TEST(AdmissionQueueTest, ABusySessionIsPassedOverAndKeepsItsTurn) {
  const auto queue = NewAdmissionQueue({});
  const auto forever = std::make_shared<Deadline>(absl::InfiniteFuture());
  ASSERT_TRUE(queue->Push("a", 1, forever).ok());
  ASSERT_TRUE(queue->Push("b", 2, forever).ok());
  ASSERT_TRUE(queue->Push("c", 3, forever).ok());
  EXPECT_EQ(queue->Pop(kNow, {"a"}).job, 2u);
  EXPECT_EQ(queue->Pop(kNow, {"a", "c"}).job, std::nullopt);
  EXPECT_EQ(queue->Pop(kNow, {}).job, 1u);
  EXPECT_EQ(queue->Pop(kNow, {}).job, 3u);
}

}  // namespace
}  // namespace quern
