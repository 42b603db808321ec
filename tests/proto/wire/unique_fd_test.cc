// Owned descriptors are closed once, by their owner.
#include "proto/wire/unique_fd.h"

#include <fcntl.h>

#include <utility>

#include "gtest/gtest.h"

namespace quern {
namespace {

bool IsOpen(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

int OpenNull() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

TEST(UniqueFdTest, ClosesWhenItGoes) {
  const int fd = OpenNull();
  {
    UniqueFd owner(fd);
    EXPECT_TRUE(IsOpen(fd));
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(UniqueFdTest, MovingMovesOwnership) {
  const int fd = OpenNull();
  UniqueFd first(fd);
  UniqueFd second(std::move(first));
  EXPECT_EQ(second.get(), fd);
  first.reset();
  EXPECT_TRUE(IsOpen(fd));
}

TEST(UniqueFdTest, ReleaseLeavesTheDescriptorOpen) {
  UniqueFd owner(OpenNull());
  UniqueFd other(owner.release());
  EXPECT_FALSE(owner.valid());
  EXPECT_TRUE(IsOpen(other.get()));
}

}  // namespace
}  // namespace quern
