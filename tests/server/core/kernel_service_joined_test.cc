// Tests of calls of several sessions for one kernel.
#include <gtest/gtest.h>

#include <string>

#include "tests/server/core/kernel_service_fixture.h"

namespace quern {
namespace {

class KernelServiceJoinedTest : public KernelServiceTest {
 protected:
  uint64_t CompileFor(const SessionId& session, const std::string& source) {
    return Compile(Spec(source), absl::InfiniteFuture(), session);
  }

  // Two jobs run and three wait, which is what "s" may have.
  void FillTheShare() {
    OpenGate();
    for (int i = 1; i <= 5; ++i) CompileFor("s", std::to_string(i));
  }

  std::string SourceOf(uint64_t ticket) {
    return pool_.JobOf(ticket).spec->source;
  }
};

TEST_F(KernelServiceJoinedTest, WhoJoinsIsNotRefusedForTheFirstOnesShare) {
  FillTheShare();
  archive_.held = true;
  const uint64_t first = CompileFor("s", "wanted");
  const uint64_t again = CompileFor("s", "wanted");
  const uint64_t other = CompileFor("t", "wanted");
  archive_.Release();
  EXPECT_TRUE(absl::IsResourceExhausted(Result(first).status()));
  EXPECT_TRUE(absl::IsResourceExhausted(Result(again).status()));
  EXPECT_FALSE(Answered(other));
  for (uint64_t ticket = 1; ticket <= 6; ++ticket) pool_.Succeed(ticket);
  EXPECT_TRUE(Result(other).ok());
}

TEST_F(KernelServiceJoinedTest, AFullQueueRefusesAllWhoJoined) {
  FillTheShare();
  CompileFor("u", "the fourth that waits");
  archive_.held = true;
  const uint64_t first = CompileFor("s", "wanted");
  const uint64_t other = CompileFor("t", "wanted");
  archive_.Release();
  EXPECT_TRUE(absl::IsResourceExhausted(Result(first).status()));
  EXPECT_TRUE(absl::IsResourceExhausted(Result(other).status()));
}

TEST_F(KernelServiceJoinedTest, WhoJoinsDoesNotWaitInTheFirstOnesLine) {
  FillTheShare();
  const uint64_t other = CompileFor("t", "5");
  pool_.Succeed(1);
  pool_.Succeed(2);
  EXPECT_EQ(SourceOf(3), "3");
  EXPECT_EQ(SourceOf(4), "5");
  pool_.Succeed(4);
  EXPECT_TRUE(Result(other).ok());
  pool_.Succeed(3);
  EXPECT_EQ(SourceOf(5), "4");
  pool_.Succeed(5);
  EXPECT_EQ(pool_.started(), 5u);
}

TEST_F(KernelServiceJoinedTest, WhoJoinedBeforeThereWasAJobHasAPlaceToo) {
  OpenGate();
  CompileFor("s", "1");
  CompileFor("s", "2");
  CompileFor("s", "3");
  CompileFor("s", "4");
  archive_.held = true;
  CompileFor("s", "wanted");
  CompileFor("t", "wanted");
  archive_.Release();
  pool_.Succeed(1);
  pool_.Succeed(2);
  EXPECT_EQ(SourceOf(3), "3");
  EXPECT_EQ(SourceOf(4), "wanted");
}

TEST_F(KernelServiceJoinedTest, WhoLeavesLeavesTheJobToTheOthers) {
  FillTheShare();
  const uint64_t other = CompileFor("t", "5");
  service_->Cancel(5);
  EXPECT_TRUE(absl::IsCancelled(Result(5).status()));
  for (uint64_t ticket = 1; ticket <= 5; ++ticket) pool_.Succeed(ticket);
  EXPECT_TRUE(Result(other).ok());
}

TEST_F(KernelServiceJoinedTest, WhoLeftHasItsShareBack) {
  FillTheShare();
  const uint64_t other = CompileFor("t", "5");
  const uint64_t third = CompileFor("t", "4");
  const uint64_t again = CompileFor("t", "3");
  for (const uint64_t call : {other, third, again}) service_->Cancel(call);
  pool_.Succeed(1);  // Its turn is the first one's again.
  EXPECT_EQ(SourceOf(3), "3");
  pool_.Succeed(2);
  EXPECT_EQ(SourceOf(4), "4");
  pool_.Succeed(3);
  EXPECT_EQ(SourceOf(5), "5");
}

}  // namespace
}  // namespace quern
