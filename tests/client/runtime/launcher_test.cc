// Launches of tiny kernels.
#include "client/runtime/launcher.h"

#include <cstring>

#include "gtest/gtest.h"
#include "tests/client/fakes/fake_daemon.h"

namespace quern {
namespace {

const KernelKey kKey{Sha256("kernel")};

// A kernel that is C++ here, in place of one from an image.
LoadedKernel KernelOf(quern_entry entry, uint32_t argument_count) {
  LoadedKernel kernel;
  std::memset(&kernel.header, 0, sizeof(kernel.header));
  kernel.header.argument_count = argument_count;
  kernel.entry = entry;
  return kernel;
}

// args[0]: counters, one a program.
int32_t CountPrograms(const quern_launch* launch, uint64_t begin, uint64_t end,
                      void*) {
  auto* counters = reinterpret_cast<int*>(launch->args[0]);
  for (uint64_t i = begin; i < end; ++i) {
    __atomic_fetch_add(&counters[i], 1, __ATOMIC_RELAXED);
  }
  return 0;
}

int32_t FailAtProgram5(const quern_launch*, uint64_t begin, uint64_t end,
                       void*) {
  return begin <= 5 && 5 < end ? 3 : 0;
}

int32_t FillScratch(const quern_launch*, uint64_t, uint64_t, void* scratch) {
  if (reinterpret_cast<uintptr_t>(scratch) % QUERN_SCRATCH_ALIGNMENT != 0) {
    return 1;
  }
  std::memset(scratch, 1, 4096);
  return 0;
}

int32_t CountBody(const quern_launch*, void* closure, uint64_t begin,
                  uint64_t end, void*) {
  __atomic_fetch_add(static_cast<uint64_t*>(closure), end - begin,
                     __ATOMIC_RELAXED);
  return 0;
}

int32_t UseServices(const quern_launch* launch, uint64_t, uint64_t, void*) {
  uint64_t count = 0;
  const int32_t failure = launch->services->parallel_for(
      launch->services->context, launch, 1000, CountBody, &count);
  return failure != 0 || count != 1000 ? 1 : 0;
}

TEST(LauncherTest, EveryProgramOfTheGridRunsOnce) {
  Launcher launcher(3);
  const LoadedKernel kernel = KernelOf(CountPrograms, 1);
  for (const Grid& grid :
       {Grid{1, 1, 1}, Grid{7, 1, 1}, Grid{3, 5, 7}, Grid{1, 1000, 1}}) {
    std::vector<int> counters(grid[0] * grid[1] * grid[2]);
    const uint64_t args[] = {reinterpret_cast<uintptr_t>(counters.data())};
    ASSERT_TRUE(launcher.Launch(kernel, grid, args, 0).ok());
    EXPECT_EQ(counters, std::vector<int>(counters.size(), 1));
  }
}

TEST(LauncherTest, AGridWithAZeroRunsNothing) {
  Launcher launcher(2);
  const LoadedKernel kernel = KernelOf(CountPrograms, 1);
  const uint64_t args[] = {0};  // Would fault.
  EXPECT_TRUE(launcher.Launch(kernel, {0, 5, 5}, args, 0).ok());
  EXPECT_TRUE(launcher.Launch(kernel, {5, 5, 0}, args, 0).ok());
}

TEST(LauncherTest, AnotherNumberOfArgumentsIsInvalid) {
  Launcher launcher(1);
  const LoadedKernel kernel = KernelOf(CountPrograms, 1);
  EXPECT_EQ(launcher.Launch(kernel, {1, 1, 1}, {}, 0).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(LauncherTest, AGridOfTwoToThe63IsInvalid) {
  Launcher launcher(1);
  const LoadedKernel kernel = KernelOf(FailAtProgram5, 0);
  constexpr uint32_t k2To31 = 1u << 31;
  EXPECT_EQ(launcher.Launch(kernel, {k2To31, k2To31, 2}, {}, 1).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(launcher.Launch(kernel, {~0u, ~0u, ~0u}, {}, 1).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(launcher.Launch(kernel, {k2To31, k2To31, 1}, {}, 1).code(),
            absl::StatusCode::kAborted);  // It ran.
}

TEST(LauncherTest, AFailedAssertAbortsWithItsMessage) {
  Launcher launcher(2);
  const LoadedKernel kernel = KernelOf(FailAtProgram5, 0);
  const absl::Status status = launcher.Launch(kernel, {100, 1, 1}, {}, 0);
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(status.message(), "device assert 3");
}

TEST(LauncherTest, EveryThreadGetsAlignedScratch) {
  Launcher launcher(4);
  LoadedKernel kernel = KernelOf(FillScratch, 0);
  kernel.header.scratch_size_bytes = 4096;
  EXPECT_TRUE(launcher.Launch(kernel, {1000, 1, 1}, {}, 0).ok());
  EXPECT_TRUE(launcher.Launch(kernel, {1, 1, 1}, {}, 1).ok());
}

TEST(LauncherTest, ScratchThatThereIsNoMemoryForIsResourceExhausted) {
  Launcher launcher(1);
  LoadedKernel kernel = KernelOf(FillScratch, 0);
  kernel.header.scratch_size_bytes = uint64_t{1} << 62;
  EXPECT_EQ(launcher.Launch(kernel, {1, 1, 1}, {}, 1).code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(LauncherTest, AKernelThatAsksForServicesGetsThem) {
  Launcher launcher(3);
  LoadedKernel kernel = KernelOf(UseServices, 0);
  kernel.header.flags = QUERN_IMAGE_NEEDS_SERVICES;
  EXPECT_TRUE(launcher.Launch(kernel, {1, 1, 1}, {}, 0).ok());
  EXPECT_TRUE(launcher.Launch(kernel, {20, 1, 1}, {}, 0).ok());
}

}  // namespace
}  // namespace quern
