// Tests of the sandbox: one small misbehaving program for each limit.
#include "server/sandbox/policy.h"

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>
#include <string>

#include "server/sandbox/outcome.h"
#include "server/sandbox/syscall_filter.h"

namespace quern {
namespace {

Outcome OutcomeOfProgram(const std::string& how) {
  // Beside this test.
  const std::string program =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() /
      "misbehave";
  char* const arguments[] = {const_cast<char*>(program.c_str()),
                             const_cast<char*>(how.c_str()), nullptr};
  char* const environment[] = {nullptr};
  pid_t pid = 0;
  EXPECT_EQ(::posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments,
                          environment),
            0);
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return OutcomeOf(status);
}

struct Case {
  std::string how;
  Outcome outcome;
};

class SandboxTest : public testing::TestWithParam<Case> {};

TEST_P(SandboxTest, EndsAsItMust) {
  EXPECT_EQ(OutcomeOfProgram(GetParam().how), GetParam().outcome);
}

INSTANTIATE_TEST_SUITE_P(
    Programs, SandboxTest,
    testing::Values(
        Case{"behave", Outcome::kExited}, Case{"open", Outcome::kDeniedSyscall},
        Case{"socket", Outcome::kDeniedSyscall},
        Case{"fork", Outcome::kDeniedSyscall},
        Case{"kill_parent", Outcome::kDeniedSyscall},
        Case{"map_executable", Outcome::kDeniedSyscall},
        Case{"make_executable", Outcome::kDeniedSyscall},
        Case{"allocate", Outcome::kOutOfMemory},
        Case{"write_unchecked", Outcome::kOutOfMemory},
        Case{"recurse", Outcome::kStackOverflow},
        Case{"spin", Outcome::kTimedOut}, Case{"null", Outcome::kCrashed},
        Case{"abort", Outcome::kCrashed}, Case{"trap", Outcome::kCrashed},
        Case{"exit_7", Outcome::kCrashed}),
    [](const auto& info) { return info.param.how; });

TEST(SyscallFilterTest, AtMostTwentyCallsAreAllowed) {
  EXPECT_LE(AllowedSyscalls().size(), 20u);
}

}  // namespace
}  // namespace quern
