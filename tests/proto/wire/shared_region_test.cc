// Shared memory and its seals.
#include "proto/wire/shared_region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "gtest/gtest.h"

namespace quern {
namespace {

TEST(SharedRegionTest, BytesWrittenInOneMappingAreReadInAnother) {
  absl::StatusOr<UniqueFd> fd = CreateSealedMemory("quern-test", 4096);
  ASSERT_TRUE(fd.ok()) << fd.status();
  auto writable = SharedRegion::Map(fd->get(), 4096, Access::kReadWrite);
  auto readable = SharedRegion::Map(fd->get(), 4096, Access::kRead);
  ASSERT_TRUE(writable.ok() && readable.ok());
  writable->data()[17] = 42;
  EXPECT_EQ(readable->data()[17], 42);
}

TEST(SharedRegionTest, TheMemoryCanNeitherShrinkNorGrow) {
  absl::StatusOr<UniqueFd> fd = CreateSealedMemory("quern-test", 8192);
  ASSERT_TRUE(fd.ok());
  EXPECT_EQ(::ftruncate(fd->get(), 4096), -1);
  EXPECT_EQ(::ftruncate(fd->get(), 16384), -1);
}

TEST(SharedRegionTest, AfterSealingNoNewMappingCanBeWritable) {
  absl::StatusOr<UniqueFd> fd = CreateSealedMemory("quern-test", 4096);
  ASSERT_TRUE(fd.ok());
  auto writable = SharedRegion::Map(fd->get(), 4096, Access::kReadWrite);
  ASSERT_TRUE(SealFutureWrites(fd->get()).ok());
  EXPECT_EQ(
      SharedRegion::Map(fd->get(), 4096, Access::kReadWrite).status().code(),
      absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(::write(fd->get(), "x", 1), -1);
  writable->data()[0] = 7;
  auto code = SharedRegion::Map(fd->get(), 4096, Access::kReadExecute);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(code->data()[0], 7);
}

TEST(SharedRegionTest, AReopenedDescriptorCannotWriteEither) {
  absl::StatusOr<UniqueFd> fd = CreateSealedMemory("quern-test", 4096);
  ASSERT_TRUE(fd.ok());
  ASSERT_TRUE(SealFutureWrites(fd->get()).ok());
  const std::string path = "/proc/self/fd/" + std::to_string(fd->get());
  UniqueFd again(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(again.valid());
  EXPECT_FALSE(SharedRegion::Map(again.get(), 4096, Access::kReadWrite).ok());
  EXPECT_EQ(::pwrite(again.get(), "x", 1, 0), -1);
}

TEST(SharedRegionTest, SealsCannotBeAddedAfterTheLast) {
  absl::StatusOr<UniqueFd> fd = CreateSealedMemory("quern-test", 4096);
  ASSERT_TRUE(fd.ok());
  ASSERT_TRUE(SealFutureWrites(fd->get()).ok());
  EXPECT_EQ(SealFutureWrites(fd->get()).code(),
            absl::StatusCode::kPermissionDenied);
}

TEST(SharedRegionTest, AMappingLongerThanTheMemoryIsInvalid) {
  absl::StatusOr<UniqueFd> fd = CreateSealedMemory("quern-test", 4096);
  ASSERT_TRUE(fd.ok());
  EXPECT_TRUE(SharedRegion::Map(fd->get(), 4096, Access::kRead).ok());
  EXPECT_EQ(SharedRegion::Map(fd->get(), 4097, Access::kRead).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(SharedRegion::Map(fd->get(), 0, Access::kRead).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace quern
