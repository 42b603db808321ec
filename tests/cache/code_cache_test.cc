// Tests of the code cache: finding, listing and evicting.
#include "cache/code_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/wire/image.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

using testing::ElementsAre;

constexpr uint64_t kPage = 4096;

class CodeCacheTest : public testing::Test {
 protected:
  // Slabs of two pages, so of two kernels.
  void Make(uint64_t slabs, uint32_t kernels_max) {
    slabs_ = NewCodeSlabs({.slab_size_bytes = 2 * kPage,
                           .total_size_bytes_max = slabs * 2 * kPage});
    cache_ = NewCodeCache(*slabs_, *directory_, kernels_max,
                          [this](uint32_t slab) { retired_.push_back(slab); });
  }

  absl::StatusOr<KernelInfo> Insert(uint8_t key) {
    const std::string image =
        FakeImage(FakeKey(key), "kernel", FakeHostMachine());
    return cache_->Insert(DescribeImage(*VerifyImage(image), image, "host"),
                          image);
  }

  std::unique_ptr<KernelDirectory> directory_ = *CreateKernelDirectory(64, 1);
  std::unique_ptr<CodeSlabs> slabs_;
  std::vector<uint32_t> retired_;
  std::unique_ptr<CodeCache> cache_;
};

TEST_F(CodeCacheTest, AnInsertedKernelIsFoundWithItsDescription) {
  Make(8, 100);
  const KernelInfo inserted = *Insert(5);
  const KernelInfo found = *cache_->Find(FakeKey(5));
  EXPECT_EQ(found.place, inserted.place);
  EXPECT_EQ(found.name, "kernel");
  EXPECT_EQ(found.target, "host");
  EXPECT_THAT(found.argument_kinds, ElementsAre(QUERN_ARGUMENT_POINTER));
  EXPECT_FALSE(cache_->Find(FakeKey(6)).has_value());
}

TEST_F(CodeCacheTest, InsertingAKeyAgainKeepsTheFirst) {
  Make(8, 100);
  const ImagePlace place = Insert(1)->place;
  EXPECT_EQ(Insert(1)->place, place);
  EXPECT_EQ(cache_->GetStats().kernels, 1u);
}

TEST_F(CodeCacheTest, AnEvictedKernelIsGoneAndCanComeBack) {
  Make(8, 100);
  Insert(1).IgnoreError();
  EXPECT_TRUE(cache_->Evict(FakeKey(1)).ok());
  EXPECT_FALSE(cache_->Find(FakeKey(1)).has_value());
  EXPECT_TRUE(absl::IsNotFound(cache_->Evict(FakeKey(1))));
  EXPECT_TRUE(Insert(1).ok());
  EXPECT_EQ(cache_->GetStats().evictions, 1u);
}

TEST_F(CodeCacheTest, NearTheLimitTheOldestSlabGoes) {
  Make(8, 100);
  for (uint8_t key = 1; key <= 14; ++key) ASSERT_TRUE(Insert(key).ok());
  EXPECT_TRUE(retired_.empty());
  ASSERT_TRUE(Insert(15).ok());
  EXPECT_THAT(retired_, ElementsAre(1));
  EXPECT_FALSE(cache_->Find(FakeKey(1)).has_value());
  EXPECT_FALSE(cache_->Find(FakeKey(2)).has_value());
  EXPECT_TRUE(cache_->Find(FakeKey(3)).has_value());
  EXPECT_EQ(cache_->GetStats().evictions, 2u);
}

TEST_F(CodeCacheTest, MemoryThatClientsKeepMappedIsNotGivenTwice) {
  Make(8, 100);
  std::vector<SlabDescriptor> held;
  for (uint8_t key = 1; key <= 16; ++key) {
    ASSERT_TRUE(Insert(key).ok()) << int{key};
    held.push_back(*slabs_->Open(Insert(key)->place.slab));
  }
  EXPECT_TRUE(absl::IsResourceExhausted(Insert(17).status()));
  held.clear();
  EXPECT_TRUE(Insert(17).ok());
}

TEST_F(CodeCacheTest, AtTheLimitOfKernelsTheOldestSlabGoes) {
  Make(64, 6);
  for (uint8_t key = 1; key <= 6; ++key) ASSERT_TRUE(Insert(key).ok());
  EXPECT_TRUE(retired_.empty());
  ASSERT_TRUE(Insert(7).ok());
  EXPECT_THAT(retired_, ElementsAre(1));
  EXPECT_EQ(cache_->GetStats().kernels, 5u);
}

TEST_F(CodeCacheTest, ListGoesByPagesInTheOrderOfKeys) {
  Make(8, 100);
  for (const uint8_t key : {4, 2, 8, 6}) Insert(key).IgnoreError();
  const std::vector<KernelInfo> first = cache_->List(std::nullopt, 3);
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[0].key, FakeKey(2));
  EXPECT_EQ(first[2].key, FakeKey(6));
  const std::vector<KernelInfo> second = cache_->List(first[2].key, 3);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].key, FakeKey(8));
}

}  // namespace
}  // namespace quern
