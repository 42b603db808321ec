// Tests of the reading of wait statuses.
#include "server/sandbox/outcome.h"

#include <gtest/gtest.h>

#include <csignal>

namespace quern {
namespace {

// A wait status as Linux makes it.
int Exit(int status) { return status << 8; }
int Signal(int signal) { return signal; }

TEST(OutcomeTest, EveryEndHasItsOutcome) {
  EXPECT_EQ(OutcomeOf(Exit(0)), Outcome::kExited);
  EXPECT_EQ(OutcomeOf(Exit(1)), Outcome::kCrashed);
  EXPECT_EQ(OutcomeOf(Exit(kExitOutOfMemory)), Outcome::kOutOfMemory);
  EXPECT_EQ(OutcomeOf(Exit(kExitStackOverflow)), Outcome::kStackOverflow);
  EXPECT_EQ(OutcomeOf(Exit(kExitSetupFailed)), Outcome::kSetupFailed);
  EXPECT_EQ(OutcomeOf(Signal(SIGSYS)), Outcome::kDeniedSyscall);
  EXPECT_EQ(OutcomeOf(Signal(SIGXCPU)), Outcome::kTimedOut);
  EXPECT_EQ(OutcomeOf(Signal(SIGKILL)), Outcome::kKilled);
  EXPECT_EQ(OutcomeOf(Signal(SIGSEGV)), Outcome::kCrashed);
  EXPECT_EQ(OutcomeOf(Signal(SIGABRT)), Outcome::kCrashed);
}

}  // namespace
}  // namespace quern
