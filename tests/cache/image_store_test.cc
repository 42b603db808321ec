// One suite of tests over every image store, and tests of what each adds.
#include "cache/image_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "cache/counting_image_store.h"
#include "cache/disk_image_store.h"
#include "cache/memory_image_store.h"
#include "cache/posix_file_ops.h"
#include "cache/verifying_image_store.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

// With the header of an entry on disk, one block of it.
constexpr uint64_t kImageSize = 4096 - 128;

Image ImageOf(const KernelKey& key) {
  return std::make_shared<const std::string>(
      FakeImage(key, "kernel", FakeHostMachine(), kImageSize));
}

struct Kind {
  std::string name;
  uint64_t entry_size_bytes;  // What one image takes of the store.
  std::function<std::unique_ptr<ImageStore>(uint64_t size_bytes_max)> make;
};

class ImageStoreTest : public testing::TestWithParam<Kind> {
 protected:
  std::unique_ptr<ImageStore> store_ =
      GetParam().make(4 * GetParam().entry_size_bytes);
};

TEST_P(ImageStoreTest, WhatWasPutIsGot) {
  const Image image = ImageOf(FakeKey(1));
  ASSERT_TRUE(store_->Put(FakeKey(1), image, nullptr).ok());
  EXPECT_EQ(**store_->Get(FakeKey(1)), *image);
}

TEST_P(ImageStoreTest, WhatWasNotPutIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(store_->Get(FakeKey(1)).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Remove(FakeKey(1))));
}

TEST_P(ImageStoreTest, WhatWasRemovedIsNotFound) {
  ASSERT_TRUE(store_->Put(FakeKey(1), ImageOf(FakeKey(1)), nullptr).ok());
  EXPECT_TRUE(store_->Remove(FakeKey(1)).ok());
  EXPECT_TRUE(absl::IsNotFound(store_->Get(FakeKey(1)).status()));
}

TEST_P(ImageStoreTest, PuttingAgainChangesNothing) {
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(store_->Put(FakeKey(1), ImageOf(FakeKey(1)), nullptr).ok());
  }
  ASSERT_TRUE(store_->Put(FakeKey(2), ImageOf(FakeKey(2)), nullptr).ok());
  EXPECT_TRUE(store_->Get(FakeKey(1)).ok());
  EXPECT_TRUE(store_->Get(FakeKey(2)).ok());
}

TEST_P(ImageStoreTest, TheLeastRecentlyUsedGoesWhenTheStoreIsFull) {
  for (uint8_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(store_->Put(FakeKey(i), ImageOf(FakeKey(i)), nullptr).ok());
  }
  EXPECT_TRUE(store_->Get(FakeKey(1)).ok());
  ASSERT_TRUE(store_->Put(FakeKey(5), ImageOf(FakeKey(5)), nullptr).ok());
  EXPECT_TRUE(store_->Get(FakeKey(1)).ok());
  EXPECT_TRUE(absl::IsNotFound(store_->Get(FakeKey(2)).status()));
}

TEST_P(ImageStoreTest, AnImageAsLargeAsTheStoreFitsAndALargerDoesNot) {
  const uint64_t size = GetParam().entry_size_bytes;
  const std::unique_ptr<ImageStore> exact = GetParam().make(size);
  EXPECT_TRUE(exact->Put(FakeKey(1), ImageOf(FakeKey(1)), nullptr).ok());
  const std::unique_ptr<ImageStore> less = GetParam().make(size - 1);
  EXPECT_TRUE(absl::IsResourceExhausted(
      less->Put(FakeKey(1), ImageOf(FakeKey(1)), nullptr)));
}

TEST_P(ImageStoreTest, TryGetGivesTheSameOrSaysThatItCannotTell) {
  const Image image = ImageOf(FakeKey(1));
  ASSERT_TRUE(store_->Put(FakeKey(1), image, nullptr).ok());
  const absl::StatusOr<Image> found = store_->TryGet(FakeKey(1));
  if (found.ok()) {
    EXPECT_EQ(**found, *image);
  } else {
    EXPECT_TRUE(absl::IsUnavailable(found.status()));
  }
  EXPECT_FALSE(store_->TryGet(FakeKey(2)).ok());
}

TEST_P(ImageStoreTest, ATouchedEntryIsUsed) {
  for (uint8_t i = 1; i <= 4; ++i) {
    ASSERT_TRUE(store_->Put(FakeKey(i), ImageOf(FakeKey(i)), nullptr).ok());
  }
  store_->Touch(FakeKey(1));
  store_->Touch(FakeKey(9));
  ASSERT_TRUE(store_->Put(FakeKey(5), ImageOf(FakeKey(5)), nullptr).ok());
  EXPECT_TRUE(store_->Get(FakeKey(1)).ok());
  EXPECT_TRUE(absl::IsNotFound(store_->Get(FakeKey(2)).status()));
}

TEST_P(ImageStoreTest, ASourceThatWasPutIsGot) {
  auto spec = std::make_shared<CompileSpec>();
  spec->source = "module {}";
  const auto store = GetParam().make(4 << 20);
  ASSERT_TRUE(store->Put(FakeKey(1), ImageOf(FakeKey(1)), spec).ok());
  EXPECT_EQ(**store->GetSource(FakeKey(1)), *spec);
  EXPECT_TRUE(store->Get(FakeKey(1)).ok());
  ASSERT_TRUE(store->Put(FakeKey(2), ImageOf(FakeKey(2)), nullptr).ok());
  EXPECT_TRUE(absl::IsNotFound(store->GetSource(FakeKey(2)).status()));
  EXPECT_TRUE(absl::IsNotFound(store->GetSource(FakeKey(3)).status()));
}

TEST_P(ImageStoreTest, ThreadsMayUseItAtOnce) {
  std::vector<std::thread> threads;
  for (uint8_t name = 1; name <= 4; ++name) {
    threads.emplace_back([this, name] {
      for (int i = 0; i < 200; ++i) {
        store_->Put(FakeKey(name), ImageOf(FakeKey(name)), nullptr)
            .IgnoreError();
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

// A store on a real folder, which goes with it.
class TemporaryStore final : public ImageStore {
 public:
  explicit TemporaryStore(uint64_t size_bytes_max)
      : folder_(testing::TempDir() + "image_store_XXXXXX") {
    if (::mkdtemp(folder_.data()) == nullptr) std::abort();
    store_ = NewDiskImageStore(*OpenFolder(folder_),
                               {.size_bytes_max = size_bytes_max}, absl::Now);
  }
  ~TemporaryStore() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<Image> Get(const KernelKey& key) override {
    return store_->Get(key);
  }
  absl::StatusOr<Image> TryGet(const KernelKey& key) override {
    return store_->TryGet(key);
  }
  void Touch(const KernelKey& key) override { store_->Touch(key); }
  absl::StatusOr<SourceSpec> GetSource(const KernelKey& key) override {
    return store_->GetSource(key);
  }
  absl::Status Put(const KernelKey& key, Image image,
                   SourceSpec source) override {
    return store_->Put(key, std::move(image), std::move(source));
  }
  absl::Status Remove(const KernelKey& key) override {
    return store_->Remove(key);
  }

 private:
  std::string folder_;
  std::unique_ptr<ImageStore> store_;
};

INSTANTIATE_TEST_SUITE_P(
    Stores, ImageStoreTest,
    testing::Values(
        Kind{"Memory", kImageSize,
             [](uint64_t size) { return NewMemoryImageStore(size); }},
        Kind{"Disk", 4096,
             [](uint64_t size) {
               return std::make_unique<TemporaryStore>(size);
             }},
        Kind{"Verifying", kImageSize,
             [](uint64_t size) {
               return NewVerifyingImageStore(NewMemoryImageStore(size));
             }},
        Kind{"Counting", kImageSize,
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
      peek.Put(FakeKey(1), std::make_shared<std::string>(damaged), nullptr)
          .ok());
  EXPECT_TRUE(absl::IsNotFound(store->Get(FakeKey(1)).status()));
  EXPECT_TRUE(absl::IsNotFound(peek.Get(FakeKey(1)).status()));
}

TEST(VerifyingImageStoreTest, AnImageOfAnotherKeyIsNotTakenOrGiven) {
  auto base = NewMemoryImageStore(1 << 20);
  ImageStore& peek = *base;
  const auto store = NewVerifyingImageStore(std::move(base));
  EXPECT_TRUE(absl::IsInvalidArgument(
      store->Put(FakeKey(1), ImageOf(FakeKey(2)), nullptr)));
  ASSERT_TRUE(peek.Put(FakeKey(1), ImageOf(FakeKey(2)), nullptr).ok());
  EXPECT_TRUE(absl::IsNotFound(store->Get(FakeKey(1)).status()));
}

TEST(CountingImageStoreTest, HitsMissesPutsAndErrorsAreCounted) {
  ImageStoreCounts counts;
  const auto store =
      NewCountingImageStore(NewMemoryImageStore(kImageSize), counts);
  store->Get(FakeKey(1)).IgnoreError();
  store->Put(FakeKey(1), ImageOf(FakeKey(1)), nullptr).IgnoreError();
  store->Get(FakeKey(1)).IgnoreError();
  store
      ->Put(FakeKey(2), std::make_shared<std::string>(kImageSize + 1, 'x'),
            nullptr)
      .IgnoreError();
  EXPECT_EQ(counts.misses, 1u);
  EXPECT_EQ(counts.hits, 1u);
  EXPECT_EQ(counts.puts, 1u);
  EXPECT_EQ(counts.put_errors, 1u);
  EXPECT_EQ(counts.read_errors, 0u);
}

}  // namespace
}  // namespace quern
