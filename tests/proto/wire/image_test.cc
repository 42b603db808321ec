// Image verification: whatever the bytes, the answer is defined.
#include "proto/wire/image.h"

#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "proto/wire/kernel_abi.h"

namespace quern {
namespace {

// Writes `header` over the front of `bytes` and the digest into it.
std::string Sealed(quern_image_header header, std::string bytes) {
  std::memcpy(bytes.data(), &header, sizeof(header));
  const auto digest = ImageDigest(bytes);
  std::memcpy(bytes.data() + offsetof(quern_image_header, sha256),
              digest.data(), digest.size());
  return bytes;
}

quern_image_header ValidHeader() {
  quern_image_header header;
  std::memset(&header, 0, sizeof(header));
  header.magic = QUERN_IMAGE_MAGIC;
  header.format_version = QUERN_IMAGE_FORMAT_VERSION;
  header.abi_version = QUERN_KERNEL_ABI_VERSION;
  header.image_size_bytes = 576;
  header.scratch_size_bytes = 64;
  header.machine = QUERN_MACHINE_X86_64;
  header.argument_count = 2;
  header.argument_kinds[0] = QUERN_ARGUMENT_POINTER;
  header.argument_kinds[1] = QUERN_ARGUMENT_I32;
  header.entry_offset = 512;
  header.code = {.offset = 512, .size_bytes = 60};
  header.name = {.offset = 572, .size_bytes = 4};
  return header;
}

std::string ValidImage() { return Sealed(ValidHeader(), std::string(576, 0)); }

absl::StatusCode CodeOf(const quern_image_header& header) {
  return VerifyImage(Sealed(header, std::string(576, 0))).status().code();
}

TEST(ImageTest, AWholeImageIsAccepted) {
  const absl::StatusOr<quern_image_header> header = VerifyImage(ValidImage());
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->argument_count, 2u);
}

TEST(ImageTest, EveryFlippedByteIsNoticed) {
  const std::string image = ValidImage();
  for (size_t i = 0; i < image.size(); ++i) {
    std::string flipped = image;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
    EXPECT_FALSE(VerifyImage(flipped).ok()) << i;
  }
}

TEST(ImageTest, EveryCutIsNoticed) {
  const std::string image = ValidImage();
  for (size_t size = 0; size < image.size(); ++size) {
    EXPECT_EQ(VerifyImage(image.substr(0, size)).status().code(),
              absl::StatusCode::kInvalidArgument)
        << size;
  }
}

TEST(ImageTest, AnotherFormatVersionIsAFailedPrecondition) {
  quern_image_header header = ValidHeader();
  header.format_version = 2;
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kFailedPrecondition);
}

TEST(ImageTest, AnotherAbiVersionIsAFailedPrecondition) {
  quern_image_header header = ValidHeader();
  header.abi_version = 2;
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kFailedPrecondition);
}

TEST(ImageTest, ScratchAtTheLimitIsAcceptedAndOnePastIsNot) {
  quern_image_header header = ValidHeader();
  header.scratch_size_bytes = QUERN_SCRATCH_SIZE_MAX;
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kOk);
  header.scratch_size_bytes = QUERN_SCRATCH_SIZE_MAX + 1;
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kResourceExhausted);
}

TEST(ImageTest, SizeAtTheLimitIsAcceptedAndOnePastIsNot) {
  quern_image_header header = ValidHeader();
  header.image_size_bytes = QUERN_IMAGE_SIZE_MAX;
  EXPECT_TRUE(
      VerifyImage(Sealed(header, std::string(QUERN_IMAGE_SIZE_MAX, 0))).ok());
  header.image_size_bytes = QUERN_IMAGE_SIZE_MAX + 1;
  EXPECT_FALSE(
      VerifyImage(Sealed(header, std::string(QUERN_IMAGE_SIZE_MAX + 1, 0)))
          .ok());
}

TEST(ImageTest, ArgumentsAtTheLimitAreAcceptedAndOnePastAreNot) {
  quern_image_header header = ValidHeader();
  header.argument_count = QUERN_ARGUMENTS_MAX;
  std::memset(header.argument_kinds, QUERN_ARGUMENT_F64, QUERN_ARGUMENTS_MAX);
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kOk);
  header.argument_count = QUERN_ARGUMENTS_MAX + 1;
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kInvalidArgument);
}

TEST(ImageTest, AnUnknownArgumentKindIsInvalid) {
  quern_image_header header = ValidHeader();
  header.argument_kinds[1] = QUERN_ARGUMENT_F64 + 1;
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kInvalidArgument);
}

TEST(ImageTest, AnEntryOutsideTheCodeIsInvalid) {
  quern_image_header header = ValidHeader();
  header.entry_offset = 572;
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kInvalidArgument);
  header.entry_offset = 511;
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kInvalidArgument);
}

TEST(ImageTest, ARangeThatEndsPastTheImageIsInvalid) {
  quern_image_header header = ValidHeader();
  header.name = {.offset = 573, .size_bytes = 4};
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kInvalidArgument);
  header.name = {.offset = 0xfffffffc, .size_bytes = 0xffffffff};
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kInvalidArgument);
}

TEST(ImageTest, ARangeInsideTheHeaderIsInvalid) {
  quern_image_header header = ValidHeader();
  header.constants = {.offset = 8, .size_bytes = 4};
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kInvalidArgument);
}

TEST(ImageTest, SetReservedBytesAreInvalid) {
  quern_image_header header = ValidHeader();
  header.reserved[215] = 1;
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kInvalidArgument);
}

TEST(ImageTest, AnUnknownMachineIsInvalid) {
  quern_image_header header = ValidHeader();
  header.machine = 243;
  EXPECT_EQ(CodeOf(header), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace quern
