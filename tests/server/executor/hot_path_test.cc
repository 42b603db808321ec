// Launches that go through a ring allocate nothing, at either end.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

#include "gtest/gtest.h"
#include "server/executor/executor.h"
#include "tests/server/executor/executor_fixture.h"

namespace {

std::atomic<uint64_t> allocations = 0;

void* Allocate(size_t size, size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, size) != 0) std::abort();
  return memory;
}

}  // namespace

// Of all threads of this program.
void* operator new(size_t size) { return Allocate(size, 16); }
void* operator new[](size_t size) { return Allocate(size, 16); }
void* operator new(size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}

namespace quern {
namespace {

TEST(HotPathTest, LaunchesAllocateNothing) {
  TestSlab slab;
  const KernelKey key = TestKey(1);
  const ImagePlace place = slab.Add(key, CodeReturningZero(), 2, 1);
  const auto memory = std::make_unique<SessionMemory>();
  ASSERT_TRUE(
      memory->LoadKernel(4096, key, place, slab.fd(), TestSlab::kSizeBytes)
          .ok());
  const UniqueFd buffer = *CreateSealedMemory("test-buffer", 4096);
  ASSERT_TRUE(memory->MapBuffer(1024, buffer.get(), 4096).ok());
  Launcher launcher(2);
  launcher.StartThreads();
  LaunchRunner runner(*memory, launcher);
  const std::unique_ptr<RingThreads> threads = StartRingThreads(1, runner);
  const RingOwner owner = *RingOwner::Create(16);
  const auto map = [&owner] {
    return *SharedRegion::Map(owner.fd(), owner.size_bytes(),
                              Access::kReadWrite);
  };
  ASSERT_TRUE(threads->Open(1, *RingExecutor::Open(map())).ok());
  RingClient ring = *RingClient::Open(map());

  const uint64_t arguments[] = {RingPointer(1024, 64), 7};
  const auto launch = [&](uint32_t programs) {
    ring.Submit({.tag = 1,
                 .kernel = 4096,
                 .grid = {programs, 1, 1},
                 .arguments = arguments});
    ring.Wake();
    quern_ring_completion done;
    while (!ring.Take(done)) ring.Await(absl::Seconds(1));
    return done.status == QUERN_RING_OK;
  };
  ASSERT_TRUE(launch(1));
  ASSERT_TRUE(launch(100));
  const uint64_t before = allocations.load();
  bool all = true;
  for (int i = 0; i < 10000; ++i) all = launch(i % 2 == 0 ? 1 : 100) && all;
  EXPECT_EQ(allocations.load(), before);
  EXPECT_TRUE(all);
  EXPECT_GT(before, 0u);  // They are counted.
}

}  // namespace
}  // namespace quern
