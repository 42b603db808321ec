// Tests of how many descriptors the slabs of all sessions take.
#include "server/attach/shared_slabs.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <vector>

namespace quern {
namespace {

TEST(SharedSlabsTest, ASlabHasOneDescriptorUntilNobodyHasIt) {
  const auto code = NewCodeSlabs({});
  ASSERT_TRUE(code->Append("code").ok());
  SharedSlabs slabs(*code);
  auto first = *slabs.Open(1);
  auto second = *slabs.Open(1);
  EXPECT_EQ(first->fd.get(), second->fd.get());
  EXPECT_EQ(first->size_bytes, uint64_t{4} << 20);
  const int fd = first->fd.get();
  first.reset();
  EXPECT_GE(::fcntl(fd, F_GETFD), 0);
  second.reset();
  EXPECT_LT(::fcntl(fd, F_GETFD), 0);
  EXPECT_TRUE(slabs.Open(1).ok());
}

TEST(SharedSlabsTest, ARetiredSlabIsThereWhileSomebodyHasIt) {
  const auto code = NewCodeSlabs({});
  ASSERT_TRUE(code->Append("code").ok());
  SharedSlabs slabs(*code);
  auto held = *slabs.Open(1);
  code->Retire(1);
  EXPECT_TRUE(slabs.Open(1).ok());
  held.reset();
  EXPECT_TRUE(absl::IsNotFound(slabs.Open(1).status()));
}

}  // namespace
}  // namespace quern
