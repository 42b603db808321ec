// Tests of an executor's sandbox: what it may, and one breach for each of the
// things that it may not.
#include "server/sandbox/executor_policy.h"

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

class ExecutorSandboxTest : public testing::TestWithParam<Case> {};

TEST_P(ExecutorSandboxTest, EndsAsItMust) {
  EXPECT_EQ(OutcomeOfProgram("misbehave-executor", GetParam().how),
            GetParam().outcome);
}

INSTANTIATE_TEST_SUITE_P(
    Programs, ExecutorSandboxTest,
    testing::Values(Case{"behave", Outcome::kExited},
                    Case{"behave_in_thread", Outcome::kExited},
                    Case{"open", Outcome::kDeniedSyscall},
                    Case{"open_in_thread", Outcome::kDeniedSyscall},
                    Case{"stat", Outcome::kDeniedSyscall},
                    Case{"socket", Outcome::kDeniedSyscall},
                    Case{"socket_in_thread", Outcome::kDeniedSyscall},
                    Case{"fork", Outcome::kDeniedSyscall},
                    Case{"start_thread", Outcome::kDeniedSyscall},
                    Case{"kill_parent", Outcome::kDeniedSyscall},
                    Case{"map_writable_code", Outcome::kDeniedSyscall},
                    Case{"map_anonymous_code", Outcome::kDeniedSyscall},
                    Case{"make_executable", Outcome::kDeniedSyscall},
                    Case{"make_memory", Outcome::kDeniedSyscall},
                    Case{"allocate", Outcome::kOutOfMemory},
                    Case{"null", Outcome::kCrashed}),
    [](const auto& info) { return info.param.how; });

TEST(ExecutorFilterTest, AtMostTwentyFourCallsAreAllowed) {
  EXPECT_LE(AllowedExecutorSyscalls().size(), 24u);
}

}  // namespace
}  // namespace quern
