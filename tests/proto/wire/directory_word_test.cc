// The words of the kernel directory.
#include "proto/wire/directory_word.h"

#include "gtest/gtest.h"

namespace quern {
namespace {

TEST(DirectoryWordTest, TheLargestPlaceIsReadBack) {
  const KernelKey key{Sha256("kernel")};
  const ImagePlace place{.slab = kMaxSlabId, .page = kMaxPage};
  EXPECT_EQ(PlaceOf(MakeWord(key, place)), place);
}

TEST(DirectoryWordTest, ThePartsDoNotOverlap) {
  const KernelKey key{Sha256("kernel")};
  const uint64_t word = MakeWord(key, {.slab = 1, .page = 2});
  EXPECT_EQ(word >> QUERN_DIRECTORY_TAG_SHIFT, TagOf(key));
  EXPECT_EQ(PlaceOf(word), (ImagePlace{.slab = 1, .page = 2}));
}

TEST(DirectoryWordTest, AWordMatchesItsKeyAndNotOneWithAnotherTag) {
  const KernelKey key{Sha256("kernel")};
  KernelKey other = key;
  other.bytes[8] ^= 1;
  const uint64_t word = MakeWord(key, {.slab = 3, .page = 0});
  EXPECT_TRUE(Matches(word, key));
  EXPECT_FALSE(Matches(word, other));
}

TEST(DirectoryWordTest, AnEmptyWordMatchesNoKey) {
  EXPECT_FALSE(Matches(0, KernelKey{}));
}

TEST(DirectoryWordTest, BucketsBeginAtMultiplesOfEightWords) {
  KernelKey key{};
  key.bytes[0] = 5;
  EXPECT_EQ(FirstWordOf(key, 4), 8u);
  EXPECT_EQ(FirstWordOf(key, 8), 40u);
}

}  // namespace
}  // namespace quern
