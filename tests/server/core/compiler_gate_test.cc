// Tests of the gate.
#include "server/core/compiler_gate.h"

#include <gtest/gtest.h>

namespace quern {
namespace {

CompilerIdentity Identity() {
  CompilerIdentity identity;
  identity.host.triple = "x86_64-unknown-linux-gnu";
  return identity;
}

struct Caller {
  CompilerGate::Passed passed() {
    return [this](const absl::StatusOr<CompilerIdentity>& identity) {
      ++calls;
      status = identity.status();
    };
  }
  int calls = 0;
  absl::Status status;
};

TEST(CompilerGateTest, ACallWaitsUntilTheCompilerIsThere) {
  const auto gate = NewCompilerGate(4);
  Caller caller;
  ASSERT_TRUE(gate->Enter(1, caller.passed()).ok());
  EXPECT_EQ(caller.calls, 0);
  EXPECT_EQ(gate->identity(), std::nullopt);
  gate->Open(Identity());
  EXPECT_EQ(caller.calls, 1);
  EXPECT_TRUE(caller.status.ok());
  ASSERT_TRUE(gate->Enter(2, caller.passed()).ok());
  EXPECT_EQ(caller.calls, 2);
}

TEST(CompilerGateTest, ACallFailsWhileThereIsNoCompiler) {
  const auto gate = NewCompilerGate(4);
  Caller caller;
  ASSERT_TRUE(gate->Enter(1, caller.passed()).ok());
  gate->Fail(absl::UnavailableError("none"));
  EXPECT_TRUE(absl::IsUnavailable(caller.status));
  ASSERT_TRUE(gate->Enter(2, caller.passed()).ok());
  EXPECT_EQ(caller.calls, 2);
  gate->Open(Identity());
  ASSERT_TRUE(gate->Enter(3, caller.passed()).ok());
  EXPECT_TRUE(caller.status.ok());
}

TEST(CompilerGateTest, ItHoldsItsLimitAndNoMore) {
  const auto gate = NewCompilerGate(2);
  Caller caller;
  EXPECT_TRUE(gate->Enter(1, caller.passed()).ok());
  EXPECT_TRUE(gate->Enter(2, caller.passed()).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(gate->Enter(3, caller.passed())));
  gate->Open(Identity());
  EXPECT_EQ(caller.calls, 2);
}

TEST(CompilerGateTest, ACallThatLeavesIsForgotten) {
  const auto gate = NewCompilerGate(2);
  Caller caller;
  EXPECT_TRUE(gate->Enter(1, caller.passed()).ok());
  EXPECT_TRUE(gate->Leave(1));
  EXPECT_FALSE(gate->Leave(1));
  gate->Open(Identity());
  EXPECT_EQ(caller.calls, 0);
}

}  // namespace
}  // namespace quern
