// Tests of the books that a disk store keeps.
#include "cache/disk_index.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

absl::Time At(int64_t second) { return absl::FromUnixSeconds(second); }

TEST(DiskIndexTest, TheOldestStampIsTheLeastRecentlyUsed) {
  DiskIndex index;
  EXPECT_FALSE(index.LeastRecentlyUsed().has_value());
  index.Enter(FakeKey(1), At(3), 10);
  index.Enter(FakeKey(2), At(1), 10);
  index.Enter(FakeKey(3), At(2), 10);
  EXPECT_EQ(index.LeastRecentlyUsed()->key, FakeKey(2));
  index.Enter(FakeKey(2), At(4), std::nullopt);
  EXPECT_EQ(index.LeastRecentlyUsed()->key, FakeKey(3));
}

TEST(DiskIndexTest, SizesAddUpWhateverIsEnteredAgainOrForgotten) {
  DiskIndex index;
  index.Enter(FakeKey(1), At(1), 10);
  index.Enter(FakeKey(1), At(2), 4);
  index.Enter(FakeKey(2), At(3), 20);
  index.Enter(FakeKey(2), At(4), std::nullopt);
  EXPECT_EQ(index.size_bytes(), 24u);
  EXPECT_EQ(index.entries(), 2u);
  EXPECT_EQ(index.SizeOf(FakeKey(1)), 4u);
  EXPECT_TRUE(index.Forget(FakeKey(2)));
  EXPECT_FALSE(index.Forget(FakeKey(2)));
  EXPECT_EQ(index.size_bytes(), 4u);
  EXPECT_EQ(index.SizeOf(FakeKey(2)), 0u);
}

TEST(DiskIndexTest, AUseOfAnUnknownKeyEntersNothing) {
  DiskIndex index;
  index.Enter(FakeKey(1), At(1), std::nullopt);
  EXPECT_EQ(index.entries(), 0u);
  EXPECT_FALSE(index.LeastRecentlyUsed().has_value());
}

TEST(DiskIndexTest, StampsRiseWhateverTheClockDoes) {
  DiskIndex index;
  EXPECT_EQ(index.NextStamp(At(100)), At(100));
  EXPECT_EQ(index.NextStamp(At(100)), At(100) + absl::Nanoseconds(1));
  EXPECT_EQ(index.NextStamp(At(50)), At(100) + absl::Nanoseconds(2));
  EXPECT_EQ(index.NextStamp(At(101)), At(101));
}

TEST(DiskIndexTest, StampsAreLaterThanAllThatWereFound) {
  DiskIndex index;
  index.Enter(FakeKey(1), At(500), 10);
  EXPECT_EQ(index.NextStamp(At(100)), At(500) + absl::Nanoseconds(1));
}

}  // namespace
}  // namespace quern
