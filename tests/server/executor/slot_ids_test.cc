// Ids that are given out and taken back.
#include "server/executor/slot_ids.h"

#include <gtest/gtest.h>

#include <set>

namespace quern {
namespace {

TEST(SlotIdsTest, NoMoreThanTheLimitAreOut) {
  SlotIds ids(2, 8, 3);
  std::set<uint32_t> out;
  for (int i = 0; i < 3; ++i) out.insert(*ids.Take());
  EXPECT_EQ(out.size(), 3u);
  EXPECT_FALSE(ids.Take().has_value());
  ids.GiveBack(*out.begin());
  EXPECT_TRUE(ids.Take().has_value());
  EXPECT_FALSE(ids.Take().has_value());
}

TEST(SlotIdsTest, AnIdThatWasGivenBackIsNotThatOfItsSuccessor) {
  SlotIds ids(2, 8, 1);
  std::set<uint32_t> seen;
  // Six bits count how often a slot was given out; 0 is left out.
  for (int i = 0; i < 63; ++i) {
    const uint32_t id = *ids.Take();
    EXPECT_EQ(SlotIndex(id, 2), 0u);
    EXPECT_NE(id, 0u);
    EXPECT_LT(id, 1u << 8);
    EXPECT_TRUE(seen.insert(id).second) << i;
    ids.GiveBack(id);
  }
  EXPECT_FALSE(seen.insert(*ids.Take()).second);
}

TEST(SlotIdsTest, AllBitsOfABuffersIdFitAPointersWord) {
  SlotIds ids(kBufferIndexBits, kBufferIdBits, 1 << kBufferIndexBits);
  for (int i = 0; i < 3 << kBufferIndexBits; ++i) {
    const uint32_t id = *ids.Take();
    ASSERT_LT(id, 1u << QUERN_RING_BUFFER_BITS);
    ids.GiveBack(id);
  }
}

}  // namespace
}  // namespace quern
