// Tests of code slabs, against what other processes could do with them.
#include "cache/code_slabs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "proto/wire/shared_region.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

constexpr uint64_t kPage = 4096;

std::unique_ptr<CodeSlabs> SmallSlabs(uint64_t pages_a_slab, uint64_t slabs) {
  return NewCodeSlabs({.slab_size_bytes = pages_a_slab * kPage,
                       .total_size_bytes_max = slabs * pages_a_slab * kPage});
}

TEST(CodeSlabsTest, ImagesFollowEachOtherAtMultiplesOfAPage) {
  const auto slabs = SmallSlabs(4, 1);
  EXPECT_EQ(*slabs->Append(std::string(1, 'a')),
            (ImagePlace{.slab = 1, .page = 0}));
  EXPECT_EQ(*slabs->Append(std::string(kPage, 'b')),
            (ImagePlace{.slab = 1, .page = 1}));
  EXPECT_EQ(*slabs->Append(std::string(kPage + 1, 'c')),
            (ImagePlace{.slab = 1, .page = 2}));
}

TEST(CodeSlabsTest, ReadGivesWhatWasAppended) {
  const auto slabs = SmallSlabs(4, 1);
  slabs->Append(std::string(10, 'a')).IgnoreError();
  const ImagePlace place = *slabs->Append("the second image");
  EXPECT_EQ(*slabs->Read(place, 16), "the second image");
  EXPECT_TRUE(absl::IsNotFound(slabs->Read(place, kPage + 1).status()));
  EXPECT_TRUE(
      absl::IsNotFound(slabs->Read({.slab = 2, .page = 0}, 1).status()));
}

TEST(CodeSlabsTest, AnotherMappingSeesLaterAppends) {
  const auto slabs = SmallSlabs(4, 1);
  slabs->Append("first").IgnoreError();
  const SlabDescriptor slab = *slabs->Open(1);
  const SharedRegion region =
      *SharedRegion::Map(slab.fd.get(), slab.size_bytes, Access::kReadExecute);
  slabs->Append("second").IgnoreError();
  EXPECT_EQ(std::string(reinterpret_cast<char*>(region.data()) + kPage, 6),
            "second");
}

TEST(CodeSlabsTest, TheLimitIsReachedWithTheLastSlabAndNotBefore) {
  const auto slabs = SmallSlabs(2, 2);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(slabs->Append(std::string(kPage, 'x')).ok()) << i;
  }
  EXPECT_TRUE(absl::IsResourceExhausted(slabs->Append("x").status()));
}

TEST(CodeSlabsTest, ALargerImageGetsASlabOfItsOwn) {
  const auto slabs = SmallSlabs(2, 4);
  EXPECT_EQ(slabs->Append("small")->slab, 1u);
  EXPECT_EQ(slabs->Append(std::string(3 * kPage, 'x'))->slab, 2u);
  EXPECT_EQ(slabs->Append("small")->slab, 1u);
  EXPECT_EQ(slabs->GetStats().size_bytes, 5 * kPage);
}

TEST(CodeSlabsTest, AnEmptyImageIsRefused) {
  const auto slabs = SmallSlabs(2, 1);
  EXPECT_TRUE(absl::IsInvalidArgument(slabs->Append("").status()));
}

TEST(CodeSlabsTest, NobodyElseCanWriteEvenAfterOpeningItAgain) {
  const auto slabs = SmallSlabs(2, 1);
  slabs->Append("code").IgnoreError();
  const SlabDescriptor slab = *slabs->Open(1);
  EXPECT_LT(::write(slab.fd.get(), "x", 1), 0);
  EXPECT_EQ(::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED,
                   slab.fd.get(), 0),
            MAP_FAILED);

  const std::string path = "/proc/self/fd/" + std::to_string(slab.fd.get());
  const UniqueFd again(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(again.valid());
  EXPECT_LT(::pwrite(again.get(), "x", 1, 0), 0);
  EXPECT_EQ(errno, EPERM);
  EXPECT_EQ(::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED,
                   again.get(), 0),
            MAP_FAILED);
  EXPECT_EQ(errno, EPERM);
  EXPECT_NE(::ftruncate(again.get(), 0), 0);
  EXPECT_EQ(*slabs->Read({.slab = 1, .page = 0}, 4), "code");
}

TEST(CodeSlabsTest, AMappingMadeExecutableCannotBecomeWritable) {
  const auto slabs = SmallSlabs(1, 1);
  slabs->Append("code").IgnoreError();
  const SlabDescriptor slab = *slabs->Open(1);
  const SharedRegion region =
      *SharedRegion::Map(slab.fd.get(), slab.size_bytes, Access::kReadExecute);
  EXPECT_NE(::mprotect(region.data(), kPage, PROT_READ | PROT_WRITE), 0);
}

TEST(CodeSlabsTest, ARetiredSlabThatNobodyHasFreesItsMemory) {
  const auto slabs = SmallSlabs(1, 1);
  slabs->Append("old").IgnoreError();
  {
    const SlabDescriptor given = *slabs->Open(1);
  }
  slabs->Retire(1);
  EXPECT_EQ(slabs->GetStats().size_bytes, 0u);
  EXPECT_EQ(slabs->Append("new")->slab, 2u);
}

TEST(CodeSlabsTest, ARetiredSlabCountsWhileSomebodyHasItOpen) {
  const auto slabs = SmallSlabs(1, 1);
  slabs->Append("old").IgnoreError();
  SlabDescriptor given = *slabs->Open(1);
  slabs->Retire(1);
  EXPECT_EQ(slabs->GetStats().retired, 1u);
  EXPECT_TRUE(absl::IsResourceExhausted(slabs->Append("new").status()));
  given.fd.reset();
  EXPECT_TRUE(slabs->Append("new").ok());
  EXPECT_EQ(slabs->GetStats().retired, 0u);
}

TEST(CodeSlabsTest, ARetiredSlabCountsWhileSomebodyHasItMapped) {
  const auto slabs = SmallSlabs(1, 1);
  slabs->Append("old").IgnoreError();
  SlabDescriptor given = *slabs->Open(1);
  SharedRegion region = *SharedRegion::Map(given.fd.get(), given.size_bytes,
                                           Access::kReadExecute);
  given.fd.reset();
  slabs->Retire(1);
  EXPECT_TRUE(absl::IsResourceExhausted(slabs->Append("new").status()));
  EXPECT_EQ(std::string(reinterpret_cast<char*>(region.data()), 3), "old");
  region = SharedRegion();
  EXPECT_TRUE(slabs->Append("new").ok());
}

TEST(CodeSlabsTest, ARetiredSlabIsNotHandedOut) {
  const auto slabs = SmallSlabs(1, 2);
  slabs->Append("old").IgnoreError();
  EXPECT_EQ(slabs->Oldest(), 1u);
  slabs->Retire(1);
  EXPECT_TRUE(absl::IsNotFound(slabs->Open(1).status()));
  EXPECT_EQ(slabs->Oldest(), std::nullopt);
}

TEST(CodeSlabsTest, TheLimitIsNearWhenTheNextSlabIsTheLast) {
  const auto slabs = SmallSlabs(1, 8);
  for (int i = 0; i < 7; ++i) {
    EXPECT_FALSE(slabs->NearLimit(1)) << i;
    slabs->Append("x").IgnoreError();
  }
  EXPECT_TRUE(slabs->NearLimit(1));
}

TEST(CodeSlabsTest, ThreadsGetPlacesOfTheirOwn) {
  const auto slabs = SmallSlabs(64, 4);
  std::vector<std::thread> threads;
  for (char name = 'a'; name < 'e'; ++name) {
    threads.emplace_back([&slabs, name] {
      for (int i = 0; i < 32; ++i) {
        const std::string image(100, name);
        const ImagePlace place = *slabs->Append(image);
        EXPECT_EQ(*slabs->Read(place, 100), image);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(slabs->GetStats().live, 2u);
}

}  // namespace
}  // namespace quern
