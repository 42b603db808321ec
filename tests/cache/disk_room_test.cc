// Tests of the room that kernels in files take: who goes when there is none,
// and several stores on one folder.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "tests/cache/disk_image_store_fixture.h"

namespace quern {
namespace {

class DiskRoomTest : public DiskImageStoreTest {};

TEST_F(DiskRoomTest, OfAFullReadOnlyFolderNothingIsForgotten) {
  const auto store = Open(2);
  ASSERT_TRUE(Put(*store, 1).ok());
  ASSERT_TRUE(Put(*store, 2).ok());
  folder_.SetReadOnly(true);
  EXPECT_FALSE(Put(*store, 3).ok());
  EXPECT_EQ(store->usage().entries, 2u);
  EXPECT_EQ(store->usage().evictions, 0u);
}

TEST_F(DiskRoomTest, TheOrderOfUsesOutlivesTheStore) {
  {
    const auto store = Open(3);
    for (uint8_t key = 1; key <= 3; ++key) {
      ASSERT_TRUE(Put(*store, key).ok());
      clock_.Advance(absl::Seconds(1));
    }
    ASSERT_TRUE(store->Get(FakeKey(1)).ok());
  }
  const auto store = Open(3);
  ASSERT_TRUE(Put(*store, 4).ok());
  EXPECT_EQ(Keys(), "134");
  EXPECT_EQ(store->usage().evictions, 1u);
}

TEST_F(DiskRoomTest, AClockThatIsSetBackDoesNotTurnTheOrder) {
  {
    const auto store = Open(3);
    for (uint8_t key = 1; key <= 3; ++key) ASSERT_TRUE(Put(*store, key).ok());
    clock_.Advance(-absl::Hours(24 * 365));
    ASSERT_TRUE(store->Get(FakeKey(1)).ok());
    ASSERT_TRUE(Put(*store, 4).ok());
    EXPECT_EQ(Keys(), "134");
  }
  clock_.Advance(-absl::Hours(1));
  const auto store = Open(3);
  ASSERT_TRUE(store->Scan().ok());
  ASSERT_TRUE(store->Get(FakeKey(3)).ok());
  ASSERT_TRUE(Put(*store, 5).ok());
  EXPECT_EQ(Keys(), "345");
}

TEST_F(DiskRoomTest, WhatAnotherStoreUsedStays) {
  const auto mine = Open(3);
  for (uint8_t key = 1; key <= 3; ++key) ASSERT_TRUE(Put(*mine, key).ok());
  const auto other = Open(3);
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(other->Get(FakeKey(1)).ok());
  ASSERT_TRUE(Put(*mine, 4).ok());
  EXPECT_EQ(Keys(), "134");
}

TEST_F(DiskRoomTest, WhatAnotherStoreRemovedIsNoEviction) {
  const auto mine = Open(3);
  for (uint8_t key = 1; key <= 3; ++key) ASSERT_TRUE(Put(*mine, key).ok());
  ASSERT_TRUE(Open(3)->Remove(FakeKey(1)).ok());
  ASSERT_TRUE(Put(*mine, 4).ok());
  EXPECT_EQ(Keys(), "234");
  EXPECT_EQ(mine->usage().evictions, 0u);
}

TEST_F(DiskRoomTest, TwoStoresStayWithinASixteenthOfTheBound) {
  const auto first = Open(32);
  const auto second = Open(32);
  ASSERT_TRUE(first->Scan().ok());
  ASSERT_TRUE(second->Scan().ok());
  size_t most = 0;
  for (int i = 0; i < 200; ++i) {
    const KernelKey key = FakeKey(static_cast<uint8_t>(i), 1);
    DiskImageStore& store = i % 50 < 25 ? *first : *second;
    ASSERT_TRUE(store.Put(key, ImageOf(key), nullptr).ok());
    clock_.Advance(absl::Seconds(1));
    most = std::max(most, folder_.Contents().size());
  }
  EXPECT_LE(most, 32u + 3);  // The entry that is being written, too.
}

TEST_F(DiskRoomTest, StoresMayWriteReadAndEvictAtOnce) {
  const auto first = Open(4);
  const auto second = Open(4);
  std::vector<std::thread> threads;
  for (DiskImageStore* store : {first.get(), second.get()}) {
    for (uint8_t begin = 1; begin <= 2; ++begin) {
      threads.emplace_back([store, begin] {
        for (int i = 0; i < 500; ++i) {
          const uint8_t key = static_cast<uint8_t>((begin + i) % 8 + 1);
          const absl::StatusOr<Image> image = store->Get(FakeKey(key));
          if (image.ok()) {
            EXPECT_EQ(**image, *ImageOf(FakeKey(key)));
          } else {
            EXPECT_TRUE(absl::IsNotFound(image.status()));
            EXPECT_TRUE(Put(*store, key).ok());
          }
        }
      });
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(first->usage().bad_removed, 0u);
  EXPECT_EQ(second->usage().bad_removed, 0u);
  EXPECT_EQ(Unfinished(), 0u);
  EXPECT_LE(Keys().size(), 5u);
}

TEST_F(DiskRoomTest, ALookInMemoryIsAUseOnlyByTouch) {
  const auto store = Open(2);
  ASSERT_TRUE(Put(*store, 1).ok());
  ASSERT_TRUE(Put(*store, 2).ok());
  folder_.cached = true;
  ASSERT_TRUE(store->TryGet(FakeKey(1)).ok());
  ASSERT_TRUE(Put(*store, 3).ok());
  EXPECT_EQ(Keys(), "23");
  ASSERT_TRUE(store->TryGet(FakeKey(2)).ok());
  store->Touch(FakeKey(2));
  ASSERT_TRUE(Put(*store, 4).ok());
  EXPECT_EQ(Keys(), "24");
}

}  // namespace
}  // namespace quern
