// Fuzzes the check of kernels on disk and the source in them: whatever the
// bytes, nothing outside of them is touched, and what passes is whole.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "cache/disk_entry.h"
#include "cache/disk_format.h"
#include "proto/wire/image.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

constexpr uint64_t kSpecSizeMax = 1 << 20;

void Require(bool condition) {
  if (!condition) __builtin_trap();
}

void CheckSource(const DiskEntry& entry) {
  const absl::StatusOr<CompileSpec> spec =
      DecodeDiskSource(entry, kSpecSizeMax);
  if (!spec.ok()) return;
  Require(CanonicalBytes(*spec).size() == entry.spec_size_bytes);
}

void Check(const std::string& bytes, const KernelKey& key) {
  const absl::StatusOr<DiskEntry> entry = CheckDiskEntry(bytes, key);
  if (!entry.ok()) return;
  Require(QUERN_DISK_HEADER_SIZE + entry->image.size() + entry->source.size() ==
          bytes.size());
  Require(VerifyImage(entry->image).ok());
  CheckSource(*entry);
}

// `bytes` as the source of an entry that is in order otherwise: the first two
// say what size it claims.
void CheckAsSource(const std::string& bytes) {
  if (bytes.size() < 2) return;
  uint16_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof(size));
  DiskEntry entry;
  entry.source = std::string_view(bytes).substr(sizeof(size));
  entry.spec_size_bytes = size;
  CheckSource(entry);
}

// `bytes` as what the source decompresses to.
void CheckAsSpec(const std::string& bytes) {
  const absl::StatusOr<CompileSpec> spec = ParseSpec(bytes);
  if (!spec.ok()) return;
  Require(CanonicalBytes(*spec) == bytes);
  const KernelKey key = FakeKey(1);
  const std::string entry = EncodeDiskEntry(
      key, FakeImage(key, "kernel", QUERN_MACHINE_X86_64), &*spec);
  const absl::StatusOr<DiskEntry> checked = CheckDiskEntry(entry, key);
  Require(checked.ok());
  const absl::StatusOr<CompileSpec> again =
      DecodeDiskSource(*checked, kSpecSizeMax);
  Require(again.ok() && *again == *spec);
}

// Puts the digests of an entry right, if its sizes let them be found, to get
// past them.
std::string WithDigests(std::string bytes) {
  quern_disk_header header;
  if (bytes.size() < sizeof(header)) return bytes;
  std::memcpy(&header, bytes.data(), sizeof(header));
  const uint64_t rest = bytes.size() - sizeof(header);
  if (header.image_size_bytes > rest ||
      header.image_size_bytes < QUERN_IMAGE_HEADER_SIZE) {
    return bytes;
  }
  std::string image = bytes.substr(sizeof(header), header.image_size_bytes);
  const auto image_digest = ImageDigest(image);
  std::copy(
      image_digest.begin(), image_digest.end(),
      bytes.begin() + sizeof(header) + offsetof(quern_image_header, sha256));
  char* const digest = bytes.data() + offsetof(quern_disk_header, sha256);
  std::memset(digest, 0, sizeof(header.sha256));
  const auto entry_digest =
      Sha256(bytes.substr(0, sizeof(header) + QUERN_IMAGE_HEADER_SIZE) +
             bytes.substr(sizeof(header) + header.image_size_bytes));
  std::copy(entry_digest.begin(), entry_digest.end(), digest);
  return bytes;
}

KernelKey KeyIn(const std::string& bytes) {
  KernelKey key;
  const size_t offset = offsetof(quern_disk_header, key);
  if (bytes.size() >= offset + key.bytes.size()) {
    std::memcpy(key.bytes.data(), bytes.data() + offset, key.bytes.size());
  }
  return key;
}

// An entry that is in order, with `changes` over it: pairs of two bytes that
// say where, and one that says what.
std::string Changed(const std::string& changes) {
  CompileSpec spec;
  spec.source = "module { module { module } }";
  spec.target.triple = "x86_64-unknown-linux-gnu";
  const KernelKey key = FakeKey(1);
  std::string bytes = EncodeDiskEntry(
      key, FakeImage(key, "kernel", QUERN_MACHINE_X86_64), &spec);
  for (size_t i = 0; i + 3 <= changes.size() && i < 30; i += 3) {
    uint16_t place = 0;
    std::memcpy(&place, changes.data() + i, sizeof(place));
    bytes[place % bytes.size()] = changes[i + 2];
  }
  return bytes;
}

}  // namespace
}  // namespace quern

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  quern::Check(bytes, quern::KeyIn(bytes));
  const std::string whole = quern::WithDigests(bytes);
  quern::Check(whole, quern::KeyIn(whole));
  const std::string changed = quern::Changed(bytes);
  quern::Check(changed, quern::FakeKey(1));
  quern::Check(quern::WithDigests(changed), quern::FakeKey(1));
  quern::CheckAsSource(bytes);
  quern::CheckAsSpec(bytes);
  return 0;
}
