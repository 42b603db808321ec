// Checks of launches, and millions of launches that make no sense.
#include "server/executor/launch_runner.h"

#include <cstring>
#include <memory>
#include <random>

#include "gtest/gtest.h"
#include "tests/server/executor/executor_fixture.h"

namespace quern {
namespace {

constexpr uint32_t kReader = 1 << kKernelIndexBits;       // One pointer.
constexpr uint32_t kCounter = 1 << kKernelIndexBits | 1;  // One integer.
constexpr uint32_t kMany = 1 << kKernelIndexBits | 2;     // 128 pointers.
constexpr uint32_t kBuffer = 1 << kBufferIndexBits | 5;
constexpr uint64_t kBufferSize = 4096;

class LaunchRunnerTest : public testing::Test {
 protected:
  LaunchRunnerTest() {
    Load(kReader, CodeReturningPointee(), 1, 1);
    Load(kCounter, CodeReturningEnd(), 1, 0);
    Load(kMany, CodeReturningZero(), 128, 128);
    EXPECT_TRUE(memory_->MapBuffer(kBuffer, buffer_.get(), kBufferSize).ok());
  }

  void Load(uint32_t id, const std::string& code, uint32_t arguments,
            uint32_t pointers) {
    const KernelKey key = TestKey(static_cast<uint8_t>(id));
    EXPECT_TRUE(memory_
                    ->LoadKernel(id, key,
                                 slab_.Add(key, code, arguments, pointers),
                                 slab_.fd(), TestSlab::kSizeBytes)
                    .ok());
  }

  static quern_ring_submission Launch(uint32_t kernel, uint64_t argument) {
    quern_ring_submission launch{};
    launch.kernel = kernel;
    launch.grid[0] = launch.grid[1] = launch.grid[2] = 1;
    launch.argument_count = 1;
    launch.arguments[0] = argument;
    return launch;
  }

  uint32_t StatusOf(const quern_ring_submission& launch) {
    return runner_.Run(launch).status;
  }

  TestSlab slab_;
  const UniqueFd buffer_ = *CreateSealedMemory("test-buffer", kBufferSize);
  const std::unique_ptr<SessionMemory> memory_ =
      std::make_unique<SessionMemory>();
  Launcher launcher_{2};
  LaunchRunner runner_{*memory_, launcher_};
};

TEST_F(LaunchRunnerTest, APointerIsABufferAndAnOffset) {
  const SharedRegion region =
      *SharedRegion::Map(buffer_.get(), kBufferSize, Access::kReadWrite);
  const int32_t value = 1234;
  std::memcpy(region.data() + 100, &value, sizeof(value));
  const RingResult result =
      runner_.Run(Launch(kReader, RingPointer(kBuffer, 100)));
  EXPECT_EQ(result.status, QUERN_RING_ASSERT_FAILED);
  EXPECT_EQ(result.detail, 1234u);
  EXPECT_EQ(StatusOf(Launch(kReader, RingPointer(kBuffer, 96))), QUERN_RING_OK);
}

TEST_F(LaunchRunnerTest, AScalarIsAValueWhateverItIs) {
  for (const uint64_t value : {uint64_t{0}, RingPointer(77, 5), UINT64_MAX}) {
    const RingResult result = runner_.Run(Launch(kCounter, value));
    EXPECT_EQ(result.status, QUERN_RING_ASSERT_FAILED);
    EXPECT_EQ(result.detail, 1u);  // The programs of the grid.
  }
}

TEST_F(LaunchRunnerTest, AnOffsetMayBeTheBuffersEndAndNotPastIt) {
  quern_ring_submission launch = Launch(kMany, 0);
  launch.argument_count = 128;
  launch.arguments[127] = RingPointer(kBuffer, kBufferSize);
  EXPECT_EQ(StatusOf(launch), QUERN_RING_OK);
  launch.arguments[127] = RingPointer(kBuffer, kBufferSize + 1);
  const RingResult result = runner_.Run(launch);
  EXPECT_EQ(result.status, QUERN_RING_OUT_OF_RANGE);
  EXPECT_EQ(result.detail, 127u);
}

TEST_F(LaunchRunnerTest, WhatMakesNoSenseIsSaid) {
  EXPECT_EQ(StatusOf(Launch(99, 0)), QUERN_RING_BAD_KERNEL);
  EXPECT_EQ(StatusOf(Launch(kReader, RingPointer(kBuffer + 1, 0))),
            QUERN_RING_BAD_BUFFER);
  quern_ring_submission launch = Launch(kCounter, 0);
  launch.argument_count = 2;
  EXPECT_EQ(runner_.Run(launch).status, QUERN_RING_BAD_ARGUMENT_COUNT);
  EXPECT_EQ(runner_.Run(launch).detail, 1u);
  launch.argument_count = 129;
  EXPECT_EQ(StatusOf(launch), QUERN_RING_BAD_REQUEST);
  launch = Launch(kCounter, 0);
  launch.flags = 2;
  EXPECT_EQ(StatusOf(launch), QUERN_RING_BAD_REQUEST);
  launch = Launch(kMany, 0);
  launch.argument_count = 128;
  launch.grid[0] = launch.grid[1] = 1u << 31;
  launch.grid[2] = 2;
  EXPECT_EQ(StatusOf(launch), QUERN_RING_BAD_GRID);
  // No programs: nothing runs, and nothing fails.
  launch = Launch(kCounter, 0);
  launch.grid[1] = 0;
  EXPECT_EQ(StatusOf(launch), QUERN_RING_OK);
}

TEST_F(LaunchRunnerTest, TheTimeOfARunIsToldWhenAsked) {
  quern_ring_submission launch = Launch(kCounter, 0);
  EXPECT_EQ(runner_.Run(launch).run_nanoseconds, 0u);
  launch.flags = QUERN_RING_MEASURE;
  // A clock may not move within one launch, but does within many.
  uint64_t sum = 0;
  for (int i = 0; i < 10000; ++i) sum += runner_.Run(launch).run_nanoseconds;
  EXPECT_GT(sum, 0u);
}

TEST_F(LaunchRunnerTest, NoLaunchOfTenMillionReachesOutsideTheBuffer) {
  std::mt19937_64 random(4);
  const MappedBuffer buffer = *memory_->FindBuffer(kBuffer);
  quern_ring_submission launch = Launch(kMany, 0);
  quern_image_header header = memory_->FindKernel(kMany)->header;
  header.argument_count = 1;
  uint64_t args[QUERN_RING_ARGUMENTS_MAX];
  uint64_t inside = 0;
  for (int i = 0; i < 10'000'000; ++i) {
    const uint64_t value = random();
    // Any word; any of this buffer's; one near its end.
    launch.arguments[0] =
        value % 4 == 0   ? value
        : value % 4 == 1 ? RingPointer(kBuffer, value >> 20)
                         : RingPointer(kBuffer + (value >> 4) % 2,
                                       kBufferSize - 8 + (value >> 8) % 16);
    if (ResolveArguments(launch, header, *memory_, args).status !=
        QUERN_RING_OK) {
      continue;
    }
    ++inside;
    ASSERT_GE(args[0], buffer.address);
    ASSERT_LE(args[0], buffer.address + kBufferSize);
  }
  EXPECT_GT(inside, 1'000'000u);
}

}  // namespace
}  // namespace quern
