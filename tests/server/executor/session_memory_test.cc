// Kernels and buffers by their ids.
#include "server/executor/session_memory.h"

#include <memory>

#include "gtest/gtest.h"
#include "tests/server/executor/executor_fixture.h"

namespace quern {
namespace {

class SessionMemoryTest : public testing::Test {
 protected:
  absl::Status Load(uint32_t id, const KernelKey& key, ImagePlace place) {
    return memory_->LoadKernel(id, key, place, slab_.fd(),
                               TestSlab::kSizeBytes);
  }

  TestSlab slab_;
  const std::unique_ptr<SessionMemory> memory_ =
      std::make_unique<SessionMemory>();
};

TEST_F(SessionMemoryTest, AKernelIsFoundByItsWholeId) {
  const KernelKey key = TestKey(1);
  const ImagePlace place = slab_.Add(key, CodeReturningZero(), 2, 0);
  const uint32_t id = 3 << kKernelIndexBits | 7;
  ASSERT_TRUE(Load(id, key, place).ok());
  ASSERT_NE(memory_->FindKernel(id), nullptr);
  EXPECT_EQ(memory_->FindKernel(id)->key, key);
  // Another generation, another slot, and 0.
  EXPECT_EQ(memory_->FindKernel(2 << kKernelIndexBits | 7), nullptr);
  EXPECT_EQ(memory_->FindKernel(3 << kKernelIndexBits | 8), nullptr);
  EXPECT_EQ(memory_->FindKernel(0), nullptr);
  EXPECT_EQ(memory_->FindKernel(UINT32_MAX), nullptr);
  memory_->UnloadKernel(2 << kKernelIndexBits | 7);
  EXPECT_NE(memory_->FindKernel(id), nullptr);
  memory_->UnloadKernel(id);
  EXPECT_EQ(memory_->FindKernel(id), nullptr);
}

TEST_F(SessionMemoryTest, ASlabIsMappedOnceAndAsLongAsOneOfItsKernels) {
  const ImagePlace first = slab_.Add(TestKey(1), CodeReturningZero(), 0, 0);
  const ImagePlace second = slab_.Add(TestKey(2), CodeReturningZero(), 0, 0);
  ASSERT_TRUE(Load(1, TestKey(1), first).ok());
  ASSERT_TRUE(Load(2, TestKey(2), second).ok());
  EXPECT_EQ(memory_->FindKernel(1)->slab, memory_->FindKernel(2)->slab);
  const std::weak_ptr<const SharedRegion> slab = memory_->FindKernel(1)->slab;
  memory_->UnloadKernel(1);
  EXPECT_FALSE(slab.expired());
  memory_->UnloadKernel(2);
  EXPECT_TRUE(slab.expired());
}

TEST_F(SessionMemoryTest, WhatIsNotTheKernelIsRefused) {
  const ImagePlace place = slab_.Add(TestKey(1), CodeReturningZero(), 0, 0);
  EXPECT_FALSE(Load(0, TestKey(1), place).ok());
  EXPECT_FALSE(Load(1, TestKey(2), place).ok());
  EXPECT_FALSE(Load(1, TestKey(1), {.slab = 1, .page = 9}).ok());
  EXPECT_FALSE(Load(1, TestKey(1), {.slab = 1, .page = 60000}).ok());
  EXPECT_EQ(memory_->FindKernel(1), nullptr);
}

TEST_F(SessionMemoryTest, ABufferIsFoundByItsWholeId) {
  const UniqueFd fd = *CreateSealedMemory("test-buffer", 5000);
  const uint32_t id = 1 << kBufferIndexBits | 3;
  ASSERT_TRUE(memory_->MapBuffer(id, fd.get(), 5000).ok());
  ASSERT_TRUE(memory_->FindBuffer(id).has_value());
  EXPECT_EQ(memory_->FindBuffer(id)->size_bytes, 5000u);
  EXPECT_FALSE(memory_->FindBuffer(2 << kBufferIndexBits | 3).has_value());
  EXPECT_FALSE(memory_->FindBuffer(0).has_value());
  memory_->UnmapBuffer(id);
  EXPECT_FALSE(memory_->FindBuffer(id).has_value());
  EXPECT_FALSE(memory_->MapBuffer(id, fd.get(), 5001).ok());
  EXPECT_FALSE(memory_->MapBuffer(0, fd.get(), 5000).ok());
}

}  // namespace
}  // namespace quern
