// Tests of the sandbox: one small misbehaving program for each limit.
#include "server/sandbox/policy.h"

#include <gtest/gtest.h>

#include <string>

#include "server/sandbox/syscall_filter.h"
#include "tests/server/sandbox/run_program.h"

namespace quern {
namespace {

struct Case {
  std::string how;
  Outcome outcome;
};

class SandboxTest : public testing::TestWithParam<Case> {};

TEST_P(SandboxTest, EndsAsItMust) {
  EXPECT_EQ(OutcomeOfProgram("misbehave", GetParam().how), GetParam().outcome);
}

INSTANTIATE_TEST_SUITE_P(
    Programs, SandboxTest,
    testing::Values(Case{"behave", Outcome::kExited},
                    Case{"behave_under_tighter_limits", Outcome::kExited},
                    Case{"open", Outcome::kDeniedSyscall},
                    Case{"socket", Outcome::kDeniedSyscall},
                    Case{"fork", Outcome::kDeniedSyscall},
                    Case{"kill_parent", Outcome::kDeniedSyscall},
                    Case{"map_executable", Outcome::kDeniedSyscall},
                    Case{"make_executable", Outcome::kDeniedSyscall},
                    Case{"allocate", Outcome::kOutOfMemory},
                    Case{"write_unchecked", Outcome::kOutOfMemory},
                    Case{"recurse", Outcome::kStackOverflow},
                    Case{"spin", Outcome::kTimedOut},
                    Case{"null", Outcome::kCrashed},
                    Case{"abort", Outcome::kCrashed},
                    Case{"trap", Outcome::kCrashed},
                    Case{"exit_7", Outcome::kCrashed}),
    [](const auto& info) { return info.param.how; });

TEST(SyscallFilterTest, AtMostTwentyCallsAreAllowed) {
  EXPECT_LE(AllowedSyscalls().size(), 20u);
}

}  // namespace
}  // namespace quern
