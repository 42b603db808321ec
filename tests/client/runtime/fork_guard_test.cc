// Fork detection.
#include "client/runtime/fork_guard.h"

#include <sys/wait.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace quern {
namespace {

TEST(ForkGuardTest, TheChildIsForkedAndTheParentIsNot) {
  absl::StatusOr<std::unique_ptr<ForkGuard>> guard = ForkGuard::Create();
  ASSERT_TRUE(guard.ok()) << guard.status();
  EXPECT_FALSE((*guard)->Forked());
  const pid_t child = ::fork();
  if (child == 0) ::_exit((*guard)->Forked() ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_FALSE((*guard)->Forked());
}

TEST(ForkGuardTest, AGuardMadeInTheChildIsTheChildsOwn) {
  const pid_t child = ::fork();
  if (child == 0) {
    absl::StatusOr<std::unique_ptr<ForkGuard>> guard = ForkGuard::Create();
    ::_exit(guard.ok() && !(*guard)->Forked() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace quern
