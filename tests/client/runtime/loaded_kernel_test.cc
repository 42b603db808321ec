// Loading kernels from a mapped slab.
#include "client/runtime/loaded_kernel.h"

#include <cstring>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "tests/client/fakes/fake_daemon.h"

namespace quern {
namespace {

constexpr size_t kSlabSizeBytes = 16384;

// A slab whose page 1 holds `image`, mapped read+exec.
std::shared_ptr<const SharedRegion> SlabWith(const std::string& image) {
  UniqueFd fd = *CreateSealedMemory("test-slab", kSlabSizeBytes);
  SharedRegion writable =
      *SharedRegion::Map(fd.get(), kSlabSizeBytes, Access::kReadWrite);
  std::memcpy(writable.data() + QUERN_IMAGE_ALIGNMENT, image.data(),
              image.size());
  return std::make_shared<const SharedRegion>(
      *SharedRegion::Map(fd.get(), kSlabSizeBytes, Access::kReadExecute));
}

const KernelKey kKey{Sha256("kernel")};

absl::StatusCode LoadCode(
    const std::function<void(quern_image_header&)>& change) {
  return LoadKernel(kKey, {.slab = 1, .page = 1},
                    SlabWith(TestImage(kKey, CodeReturningEnd(), 2, change)))
      .status()
      .code();
}

TEST(LoadedKernelTest, ALoadedKernelRuns) {
  const auto kernel =
      LoadKernel(kKey, {.slab = 1, .page = 1},
                 SlabWith(TestImage(kKey, CodeReturningEnd(), 2)));
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  EXPECT_EQ((*kernel)->entry(nullptr, 0, 42, nullptr), 42);
  EXPECT_EQ((*kernel)->Name(), "kernel");
}

TEST(LoadedKernelTest, AssertMessagesAreFoundByNumber) {
  const auto kernel =
      LoadKernel(kKey, {.slab = 1, .page = 1},
                 SlabWith(TestImage(kKey, CodeReturningEnd(), 2)));
  ASSERT_TRUE(kernel.ok());
  EXPECT_EQ((*kernel)->AssertMessage(1), "first");
  EXPECT_EQ((*kernel)->AssertMessage(2), "second");
  EXPECT_EQ((*kernel)->AssertMessage(99), "device assert 99");
  EXPECT_EQ((*kernel)->AssertMessage(-3), "device assert -3");
}

TEST(LoadedKernelTest, AnotherKeyIsNotFound) {
  EXPECT_EQ(LoadCode([](auto& header) { header.key[31] ^= 1; }),
            absl::StatusCode::kNotFound);
}

TEST(LoadedKernelTest, AnotherVersionIsAFailedPrecondition) {
  EXPECT_EQ(LoadCode([](auto& header) { header.abi_version = 2; }),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(LoadCode([](auto& header) { header.format_version = 2; }),
            absl::StatusCode::kFailedPrecondition);
}

TEST(LoadedKernelTest, AnotherMachineIsAFailedPrecondition) {
  EXPECT_EQ(LoadCode([](auto& header) { header.machine = 243; }),
            absl::StatusCode::kFailedPrecondition);
}

TEST(LoadedKernelTest, APlaceWithoutAnImageIsDataLoss) {
  EXPECT_EQ(LoadKernel(kKey, {.slab = 1, .page = 2},
                       SlabWith(TestImage(kKey, CodeReturningEnd(), 2)))
                .status()
                .code(),
            absl::StatusCode::kDataLoss);
}

TEST(LoadedKernelTest, APlaceOutsideTheSlabIsDataLoss) {
  const auto slab = SlabWith(TestImage(kKey, CodeReturningEnd(), 2));
  for (const uint32_t page : {4u, kMaxPage}) {
    EXPECT_EQ(LoadKernel(kKey, {.slab = 1, .page = page}, slab).status().code(),
              absl::StatusCode::kDataLoss);
  }
}

TEST(LoadedKernelTest, AHeaderThatContradictsItselfIsDataLoss) {
  EXPECT_EQ(LoadCode([](auto& header) { header.entry_offset = 511; }),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(LoadCode([](auto& header) { header.code.size_bytes = 1 << 20; }),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(LoadCode([](auto& header) { header.image_size_bytes = 1 << 20; }),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(LoadCode([](auto& header) { header.argument_count = 129; }),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace quern
