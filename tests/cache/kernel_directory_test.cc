// Tests of the directory's writer, seen as its readers see it.
#include "cache/kernel_directory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <optional>
#include <string>

#include "proto/wire/directory_layout.h"
#include "proto/wire/shared_region.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

// A reader in another process would do the same.
class Reader {
 public:
  explicit Reader(KernelDirectory& directory) {
    const SlabDescriptor descriptor = *directory.Open();
    region_ = *SharedRegion::Map(descriptor.fd.get(), descriptor.size_bytes,
                                 Access::kRead);
  }

  const quern_directory_header& header() const {
    return *reinterpret_cast<const quern_directory_header*>(region_.data());
  }

  std::optional<ImagePlace> Find(const KernelKey& key) const {
    auto* words = reinterpret_cast<uint64_t*>(region_.data() +
                                              QUERN_DIRECTORY_HEADER_SIZE);
    const uint64_t first = FirstWordOf(key, header().bucket_count);
    for (uint64_t i = first; i < first + QUERN_DIRECTORY_BUCKET_WORDS; ++i) {
      // Pairs with the release stores of the writer.
      const uint64_t word =
          std::atomic_ref(words[i]).load(std::memory_order_acquire);
      if (Matches(word, key)) return PlaceOf(word);
    }
    return std::nullopt;
  }

 private:
  SharedRegion region_;
};

// A key of bucket 0, told from others by its tag.
KernelKey TaggedKey(uint8_t tag) {
  KernelKey key;
  key.bytes[8] = tag;
  return key;
}

class KernelDirectoryTest : public testing::Test {
 protected:
  std::unique_ptr<KernelDirectory> directory_ =
      *CreateKernelDirectory(16, 0x1234);
  Reader reader_{*directory_};
};

TEST_F(KernelDirectoryTest, TheHeaderNamesFormatAndIncarnation) {
  EXPECT_EQ(reader_.header().magic, QUERN_DIRECTORY_MAGIC);
  EXPECT_EQ(reader_.header().version, QUERN_DIRECTORY_VERSION);
  EXPECT_EQ(reader_.header().bucket_count, 2u);
  EXPECT_EQ(reader_.header().incarnation, 0x1234u);
  EXPECT_EQ(reader_.header().ready, 0u);
}

TEST_F(KernelDirectoryTest, TheCompilerIsThereWhenReadyIsSet) {
  BuildId build_id;
  build_id.fill(7);
  TargetSpec host;
  host.triple = "x86_64-unknown-linux-gnu";
  host.cpu = "znver4";
  host.features = {"+avx2"};
  ASSERT_TRUE(directory_->SetCompiler(build_id, host).ok());
  const quern_directory_header& header = reader_.header();
  EXPECT_EQ(header.ready, 1u);
  EXPECT_EQ(std::memcmp(header.build_id, build_id.data(), 32), 0);
  EXPECT_EQ(*ParseTarget(std::string(header.target, header.target_size_bytes)),
            host);
}

TEST_F(KernelDirectoryTest, ATargetThatFillsTheHeaderIsTheLargest) {
  TargetSpec host;
  const size_t overhead = CanonicalBytes(host).size();
  host.triple.assign(QUERN_DIRECTORY_TARGET_SIZE_MAX - overhead, 'x');
  EXPECT_TRUE(directory_->SetCompiler(BuildId{}, host).ok());
  host.triple.push_back('x');
  EXPECT_TRUE(
      absl::IsInvalidArgument(directory_->SetCompiler(BuildId{}, host)));
}

TEST_F(KernelDirectoryTest, APublishedKernelIsFoundUntilItIsWithdrawn) {
  const KernelKey key = TaggedKey(1);
  const ImagePlace place{.slab = 3, .page = 17};
  EXPECT_EQ(reader_.Find(key), std::nullopt);
  directory_->Publish(key, place);
  EXPECT_EQ(reader_.Find(key), place);
  directory_->Withdraw(key, {.slab = 3, .page = 18});
  EXPECT_EQ(reader_.Find(key), place);
  directory_->Withdraw(key, place);
  EXPECT_EQ(reader_.Find(key), std::nullopt);
}

TEST_F(KernelDirectoryTest, PublishingAKeyAgainReplacesItsPlace) {
  directory_->Publish(TaggedKey(1), {.slab = 1, .page = 0});
  directory_->Publish(TaggedKey(1), {.slab = 2, .page = 5});
  EXPECT_EQ(reader_.Find(TaggedKey(1)), (ImagePlace{.slab = 2, .page = 5}));
}

TEST_F(KernelDirectoryTest, AFullBucketReplacesItsOldest) {
  for (uint8_t tag = 1; tag <= 8; ++tag) {
    directory_->Publish(TaggedKey(tag), {.slab = 1, .page = tag});
  }
  EXPECT_TRUE(reader_.Find(TaggedKey(1)).has_value());
  directory_->Publish(TaggedKey(9), {.slab = 1, .page = 9});
  EXPECT_FALSE(reader_.Find(TaggedKey(1)).has_value());
  for (uint8_t tag = 2; tag <= 9; ++tag) {
    EXPECT_TRUE(reader_.Find(TaggedKey(tag)).has_value()) << int{tag};
  }
}

TEST_F(KernelDirectoryTest, AWithdrawnWordIsFilledBeforeAnOldOneGoes) {
  for (uint8_t tag = 1; tag <= 8; ++tag) {
    directory_->Publish(TaggedKey(tag), {.slab = 1, .page = tag});
  }
  directory_->Withdraw(TaggedKey(5), {.slab = 1, .page = 5});
  directory_->Publish(TaggedKey(9), {.slab = 1, .page = 9});
  EXPECT_TRUE(reader_.Find(TaggedKey(1)).has_value());
  EXPECT_TRUE(reader_.Find(TaggedKey(9)).has_value());
}

TEST_F(KernelDirectoryTest, WithdrawingASlabTakesItsKernelsAlone) {
  directory_->Publish(TaggedKey(1), {.slab = 1, .page = 0});
  directory_->Publish(TaggedKey(2), {.slab = 2, .page = 0});
  directory_->WithdrawSlab(1);
  EXPECT_FALSE(reader_.Find(TaggedKey(1)).has_value());
  EXPECT_TRUE(reader_.Find(TaggedKey(2)).has_value());
}

TEST_F(KernelDirectoryTest, OthersCannotWriteIt) {
  const SlabDescriptor descriptor = *directory_->Open();
  EXPECT_FALSE(
      SharedRegion::Map(descriptor.fd.get(), 4096, Access::kReadWrite).ok());
}

}  // namespace
}  // namespace quern
