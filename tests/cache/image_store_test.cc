// One suite of tests over every image store, and tests of what each adds.
#include "cache/image_store.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cache/counting_image_store.h"
#include "cache/memory_image_store.h"
#include "cache/verifying_image_store.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

constexpr uint64_t kImageSize = 1024;

Image ImageOf(const KernelKey& key) {
  return std::make_shared<const std::string>(
      FakeImage(key, "kernel", FakeHostMachine(), kImageSize));
}

struct Kind {
  std::string name;
  std::function<std::unique_ptr<ImageStore>(uint64_t size_bytes_max)> make;
};

class ImageStoreTest : public testing::TestWithParam<Kind> {
 protected:
  std::unique_ptr<ImageStore> store_ = GetParam().make(4 * kImageSize);
};

TEST_P(ImageStoreTest, WhatWasPutIsGot) {
  const Image image = ImageOf(FakeKey(1));
  ASSERT_TRUE(store_->Put(FakeKey(1), image).ok());
  EXPECT_EQ(**store_->Get(FakeKey(1)), *image);
}

TEST_P(ImageStoreTest, WhatWasNotPutIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(store_->Get(FakeKey(1)).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Remove(FakeKey(1))));
}

TEST_P(ImageStoreTest, WhatWasRemovedIsNotFound) {
  ASSERT_TRUE(store_->Put(FakeKey(1), ImageOf(FakeKey(1))).ok());
  EXPECT_TRUE(store_->Remove(FakeKey(1)).ok());
  EXPECT_TRUE(absl::IsNotFound(store_->Get(FakeKey(1)).status()));
}

TEST_P(ImageStoreTest, PuttingAgainChangesNothing) {
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(store_->Put(FakeKey(1), ImageOf(FakeKey(1))).ok());
  }
  ASSERT_TRUE(store_->Put(FakeKey(2), ImageOf(FakeKey(2))).ok());
  EXPECT_TRUE(store_->Get(FakeKey(1)).ok());
  EXPECT_TRUE(store_->Get(FakeKey(2)).ok());
}

TEST_P(ImageStoreTest, TheLeastRecentlyUsedGoesWhenTheStoreIsFull) {
  for (uint8_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(store_->Put(FakeKey(i), ImageOf(FakeKey(i))).ok());
  }
  EXPECT_TRUE(store_->Get(FakeKey(1)).ok());
  ASSERT_TRUE(store_->Put(FakeKey(5), ImageOf(FakeKey(5))).ok());
  EXPECT_TRUE(store_->Get(FakeKey(1)).ok());
  EXPECT_TRUE(absl::IsNotFound(store_->Get(FakeKey(2)).status()));
}

TEST_P(ImageStoreTest, AnImageAsLargeAsTheStoreFitsAndALargerDoesNot) {
  const std::unique_ptr<ImageStore> exact = GetParam().make(kImageSize);
  EXPECT_TRUE(exact->Put(FakeKey(1), ImageOf(FakeKey(1))).ok());
  const std::unique_ptr<ImageStore> less = GetParam().make(kImageSize - 1);
  EXPECT_TRUE(
      absl::IsResourceExhausted(less->Put(FakeKey(1), ImageOf(FakeKey(1)))));
}

TEST_P(ImageStoreTest, ThreadsMayUseItAtOnce) {
  std::vector<std::thread> threads;
  for (uint8_t name = 1; name <= 4; ++name) {
    threads.emplace_back([this, name] {
      for (int i = 0; i < 200; ++i) {
        store_->Put(FakeKey(name), ImageOf(FakeKey(name))).IgnoreError();
        const auto image = store_->Get(FakeKey(name));
        if (image.ok()) EXPECT_EQ((*image)->size(), kImageSize);
        store_->Remove(FakeKey(name % 4 + 1)).IgnoreError();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

ImageStoreCounts& SharedCounts() {
  static ImageStoreCounts counts;
  return counts;
}

INSTANTIATE_TEST_SUITE_P(
    Stores, ImageStoreTest,
    testing::Values(
        Kind{"Memory", [](uint64_t size) { return NewMemoryImageStore(size); }},
        Kind{"Verifying",
             [](uint64_t size) {
               return NewVerifyingImageStore(NewMemoryImageStore(size));
             }},
        Kind{"Counting",
             [](uint64_t size) {
               return NewCountingImageStore(NewMemoryImageStore(size),
                                            SharedCounts());
             }}),
    [](const auto& info) { return info.param.name; });

TEST(VerifyingImageStoreTest, ADamagedEntryIsNotFoundAndRemoved) {
  auto base = NewMemoryImageStore(1 << 20);
  ImageStore& peek = *base;
  const auto store = NewVerifyingImageStore(std::move(base));
  std::string damaged = *ImageOf(FakeKey(1));
  damaged.back() ^= 1;
  ASSERT_TRUE(
      peek.Put(FakeKey(1), std::make_shared<std::string>(damaged)).ok());
  EXPECT_TRUE(absl::IsNotFound(store->Get(FakeKey(1)).status()));
  EXPECT_TRUE(absl::IsNotFound(peek.Get(FakeKey(1)).status()));
}

TEST(VerifyingImageStoreTest, AnImageOfAnotherKeyIsNotTakenOrGiven) {
  auto base = NewMemoryImageStore(1 << 20);
  ImageStore& peek = *base;
  const auto store = NewVerifyingImageStore(std::move(base));
  EXPECT_TRUE(
      absl::IsInvalidArgument(store->Put(FakeKey(1), ImageOf(FakeKey(2)))));
  ASSERT_TRUE(peek.Put(FakeKey(1), ImageOf(FakeKey(2))).ok());
  EXPECT_TRUE(absl::IsNotFound(store->Get(FakeKey(1)).status()));
}

TEST(CountingImageStoreTest, HitsMissesPutsAndErrorsAreCounted) {
  ImageStoreCounts counts;
  const auto store =
      NewCountingImageStore(NewMemoryImageStore(kImageSize), counts);
  store->Get(FakeKey(1)).IgnoreError();
  store->Put(FakeKey(1), ImageOf(FakeKey(1))).IgnoreError();
  store->Get(FakeKey(1)).IgnoreError();
  store->Put(FakeKey(2), std::make_shared<std::string>(kImageSize + 1, 'x'))
      .IgnoreError();
  EXPECT_EQ(counts.misses, 1u);
  EXPECT_EQ(counts.hits, 1u);
  EXPECT_EQ(counts.puts, 1u);
  EXPECT_EQ(counts.errors, 1u);
}

}  // namespace
}  // namespace quern
