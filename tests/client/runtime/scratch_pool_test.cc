// Scratch buffers.
#include "client/runtime/scratch_pool.h"

#include <cstring>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "proto/wire/image_format.h"
#include "proto/wire/kernel_abi.h"

namespace quern {
namespace {

TEST(ScratchPoolTest, NoBytesNeedNoBuffer) {
  ScratchPool pool;
  EXPECT_EQ(pool.Take(0).data(), nullptr);
}

TEST(ScratchPoolTest, BuffersAreAligned) {
  ScratchPool pool;
  for (const uint64_t size : {1, 63, 64, 65, 4096, 1'000'000}) {
    const ScratchPool::Lease lease = pool.Take(size);
    ASSERT_NE(lease.data(), nullptr);
    EXPECT_EQ(
        reinterpret_cast<uintptr_t>(lease.data()) % QUERN_SCRATCH_ALIGNMENT,
        0u);
    std::memset(lease.data(), 1, size);
  }
}

TEST(ScratchPoolTest, ABufferThatCameBackIsUsedAgain) {
  ScratchPool pool;
  void* first = pool.Take(1000).data();
  EXPECT_EQ(pool.Take(900).data(), first);
}

TEST(ScratchPoolTest, ABufferThatIsTooSmallIsReplaced) {
  ScratchPool pool;
  {
    const auto small = pool.Take(64);
  }
  const ScratchPool::Lease large = pool.Take(1 << 20);
  ASSERT_NE(large.data(), nullptr);
  std::memset(large.data(), 1, 1 << 20);
}

TEST(ScratchPoolTest, TheLimitIsGivenAndOnePastIsNot) {
  ScratchPool pool;
  EXPECT_NE(pool.Take(QUERN_SCRATCH_SIZE_MAX).data(), nullptr);
  EXPECT_EQ(pool.Take(QUERN_SCRATCH_SIZE_MAX + 1).data(), nullptr);
}

TEST(ScratchPoolTest, LeasesAtOneTimeAreDifferent) {
  ScratchPool pool;
  const ScratchPool::Lease one = pool.Take(64);
  const ScratchPool::Lease two = pool.Take(64);
  EXPECT_NE(one.data(), two.data());
}

TEST(ScratchPoolTest, ThreadsNeverShareABuffer) {
  ScratchPool pool;
  std::vector<std::thread> threads;
  std::atomic<int> mixed{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, &mixed, t] {
      for (int i = 0; i < 2000; ++i) {
        const ScratchPool::Lease lease = pool.Take(128);
        std::memset(lease.data(), t, 128);
        const auto* bytes = static_cast<unsigned char*>(lease.data());
        if (bytes[0] != t || bytes[127] != t) mixed.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(mixed.load(), 0);
}

}  // namespace
}  // namespace quern
