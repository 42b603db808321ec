// Standard descriptors that are missing.
#include "proto/wire/standard_descriptors.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <vector>

#include "gtest/gtest.h"

namespace quern {
namespace {

// Whether `check` holds in a child in which `closed` are closed.
bool HoldsWithout(const std::vector<int>& closed,
                  const std::function<bool()>& check) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (const int fd : closed) ::close(fd);
    ::_exit(HoldStandardDescriptors() && check() ? 0 : 1);
  }
  int status = -1;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

TEST(StandardDescriptorsTest, WhatIsOpenedNextIsNoStandardDescriptor) {
  const std::vector<std::vector<int>> cases = {{0},    {1},    {2},      {0, 1},
                                               {0, 2}, {1, 2}, {0, 1, 2}};
  for (const std::vector<int>& closed : cases) {
    EXPECT_TRUE(HoldsWithout(
        closed, [] { return ::open("/dev/null", O_RDWR) > STDERR_FILENO; }))
        << closed.size() << " from " << closed[0];
  }
}

TEST(StandardDescriptorsTest, TheUseOfAMissingOneFailsAsBefore) {
  EXPECT_TRUE(HoldsWithout({1, 2}, [] {
    return ::write(STDOUT_FILENO, "x", 1) < 0 && errno == EBADF &&
           ::write(STDERR_FILENO, "x", 1) < 0 && errno == EBADF;
  }));
  EXPECT_TRUE(HoldsWithout({0}, [] {
    char byte = 0;
    return ::read(STDIN_FILENO, &byte, 1) < 0 && errno == EBADF;
  }));
}

TEST(StandardDescriptorsTest, WhatIsOpenIsLeftAlone) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_TRUE(HoldsWithout({}, [&ends] {
    return ::dup2(ends[1], STDOUT_FILENO) == STDOUT_FILENO &&
           HoldStandardDescriptors() && ::write(STDOUT_FILENO, "x", 1) == 1;
  }));
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 1);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace quern
