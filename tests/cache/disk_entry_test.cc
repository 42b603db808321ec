// Tests of the bytes of kernels on disk.
#include "cache/disk_entry.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>

#include "cache/disk_format.h"
#include "proto/wire/image.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

static_assert(offsetof(quern_disk_header, magic) == 0);
static_assert(offsetof(quern_disk_header, format_version) == 8);
static_assert(offsetof(quern_disk_header, reserved0) == 12);
static_assert(offsetof(quern_disk_header, image_size_bytes) == 16);
static_assert(offsetof(quern_disk_header, source_size_bytes) == 24);
static_assert(offsetof(quern_disk_header, spec_size_bytes) == 32);
static_assert(offsetof(quern_disk_header, key) == 40);
static_assert(offsetof(quern_disk_header, sha256) == 72);
static_assert(offsetof(quern_disk_header, reserved) == 104);

constexpr uint64_t kSpecSizeMax = 1 << 20;

CompileSpec SomeSpec() {
  CompileSpec spec;
  spec.source = "module { the same words again and again, again and again }";
  spec.entry = "add";
  spec.signature = {{.type = "*fp32", .divisibility = 16}};
  spec.target = {.triple = "x86_64-unknown-linux-gnu",
                 .cpu = "znver4",
                 .features = {"+avx2"}};
  return spec;
}

std::string SomeImage() {
  return FakeImage(FakeKey(1), "kernel", QUERN_MACHINE_X86_64);
}

std::string SomeEntry() {
  const CompileSpec spec = SomeSpec();
  return EncodeDiskEntry(FakeKey(1), SomeImage(), &spec);
}

// `bytes` with a header changed by `change`, and a digest that fits.
template <typename Change>
std::string WithHeader(std::string bytes, Change change) {
  quern_disk_header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  change(header);
  std::memset(header.sha256, 0, sizeof(header.sha256));
  std::memcpy(bytes.data(), &header, sizeof(header));
  const uint64_t image_end = sizeof(header) + SomeImage().size();
  const auto digest =
      Sha256(bytes.substr(0, sizeof(header) + QUERN_IMAGE_HEADER_SIZE) +
             bytes.substr(image_end));
  std::memcpy(bytes.data() + offsetof(quern_disk_header, sha256), digest.data(),
              digest.size());
  return bytes;
}

TEST(DiskEntryTest, WhatWasEncodedIsDecoded) {
  const std::string bytes = SomeEntry();
  const absl::StatusOr<DiskEntry> entry = CheckDiskEntry(bytes, FakeKey(1));
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(entry->image, SomeImage());
  const absl::StatusOr<CompileSpec> spec =
      DecodeDiskSource(*entry, kSpecSizeMax);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(*spec, SomeSpec());
}

TEST(DiskEntryTest, AnEntryWithoutASourceIsWhole) {
  const std::string bytes = EncodeDiskEntry(FakeKey(1), SomeImage(), nullptr);
  const absl::StatusOr<DiskEntry> entry = CheckDiskEntry(bytes, FakeKey(1));
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_TRUE(
      absl::IsNotFound(DecodeDiskSource(*entry, kSpecSizeMax).status()));
}

// A daemon of tomorrow reads what one of today wrote.
TEST(DiskEntryTest, TheBytesOfAnEntryNeverMove) {
  const std::string bytes = EncodeDiskEntry(FakeKey(1), SomeImage(), nullptr);
  std::string hex;
  for (const unsigned char byte : bytes.substr(0, QUERN_DISK_HEADER_SIZE)) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    hex += digits;
  }
  EXPECT_EQ(hex,
            "515545524e44534b"  // Magic.
            "0100000000000000"  // Version, reserved.
            "0902000000000000"  // The image's size,
            "0000000000000000"  // the source's,
            "0000000000000000"  // and the spec's.
            "0101010101010101010101010101010101010101010101010101010101010100"
            "a63989f121086ac282c5a59b59b7441fc203c3392ab4fa781644db64da825a63"
            "000000000000000000000000000000000000000000000000");
}

TEST(DiskEntryTest, EveryFlippedByteIsNoticed) {
  const std::string bytes = SomeEntry();
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int bits : {0x01, 0x80, 0xff}) {
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ bits);
      EXPECT_FALSE(CheckDiskEntry(flipped, FakeKey(1)).ok()) << i;
    }
  }
}

TEST(DiskEntryTest, EveryLengthButItsOwnIsNoticed) {
  const std::string bytes = SomeEntry();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(CheckDiskEntry(bytes.substr(0, size), FakeKey(1)).ok())
        << size;
  }
  EXPECT_FALSE(CheckDiskEntry(bytes + '\0', FakeKey(1)).ok());
}

TEST(DiskEntryTest, AnEntryOfAnotherKeyIsRefused) {
  EXPECT_TRUE(absl::IsInvalidArgument(
      CheckDiskEntry(SomeEntry(), FakeKey(2)).status()));
  // Also if only its image is.
  const std::string mixed = EncodeDiskEntry(FakeKey(2), SomeImage(), nullptr);
  EXPECT_TRUE(
      absl::IsInvalidArgument(CheckDiskEntry(mixed, FakeKey(2)).status()));
}

TEST(DiskEntryTest, AnEntryOfAnotherVersionIsRefused) {
  const std::string bytes = WithHeader(
      SomeEntry(), [](quern_disk_header& header) { ++header.format_version; });
  EXPECT_TRUE(
      absl::IsFailedPrecondition(CheckDiskEntry(bytes, FakeKey(1)).status()));
}

TEST(DiskEntryTest, ReservedBytesThatAreSetAreRefused) {
  for (size_t i = 0; i < sizeof(quern_disk_header::reserved); ++i) {
    const std::string bytes =
        WithHeader(SomeEntry(),
                   [i](quern_disk_header& header) { header.reserved[i] = 1; });
    EXPECT_FALSE(CheckDiskEntry(bytes, FakeKey(1)).ok()) << i;
  }
}

TEST(DiskEntryTest, SizesThatAddUpByOverflowAreRefused) {
  const std::string bytes =
      WithHeader(SomeEntry(), [](quern_disk_header& header) {
        header.image_size_bytes += 1;
        header.source_size_bytes -= 1;
      });
  EXPECT_FALSE(CheckDiskEntry(bytes, FakeKey(1)).ok());
  const std::string huge =
      WithHeader(SomeEntry(), [](quern_disk_header& header) {
        header.source_size_bytes += header.image_size_bytes + 1;
        header.image_size_bytes = UINT64_MAX;
      });
  EXPECT_FALSE(CheckDiskEntry(huge, FakeKey(1)).ok());
}

TEST(DiskEntryTest, ASourceAtTheLimitIsDecodedAndOneOverItIsNot) {
  const std::string bytes = SomeEntry();
  const DiskEntry entry = *CheckDiskEntry(bytes, FakeKey(1));
  const uint64_t size = CanonicalBytes(SomeSpec()).size();
  EXPECT_TRUE(DecodeDiskSource(entry, size).ok());
  EXPECT_TRUE(
      absl::IsResourceExhausted(DecodeDiskSource(entry, size - 1).status()));
}

TEST(DiskEntryTest, ASourceThatIsNoSourceIsDataLoss) {
  const std::string bytes = SomeEntry();
  DiskEntry entry = *CheckDiskEntry(bytes, FakeKey(1));
  DiskEntry wrong_size = entry;
  ++wrong_size.spec_size_bytes;
  EXPECT_TRUE(
      absl::IsDataLoss(DecodeDiskSource(wrong_size, kSpecSizeMax).status()));
  for (size_t size = 1; size < entry.source.size(); ++size) {
    DiskEntry cut = entry;
    cut.source = entry.source.substr(0, size);
    EXPECT_FALSE(DecodeDiskSource(cut, kSpecSizeMax).ok()) << size;
  }
}

}  // namespace
}  // namespace quern
