// Encoding and checking entries.
#include "cache/disk_entry.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>

#include "cache/disk_format.h"
#include "proto/wire/image.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr int kCompressionLevel = 3;

// Digests what the image's own digest does not cover. The image's header is
// covered twice: so it cannot be exchanged for that of another valid image.
Sha256Digest DigestOf(quern_disk_header header, std::string_view image,
                      std::string_view source) {
  std::fill(std::begin(header.sha256), std::end(header.sha256), uint8_t{0});
  return Sha256({{reinterpret_cast<const char*>(&header), sizeof(header)},
                 image.substr(0, QUERN_IMAGE_HEADER_SIZE),
                 source});
}

// Empty if it cannot be compressed, for want of memory.
std::string Compressed(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(),
                                    bytes.size(), kCompressionLevel);
  out.resize(ZSTD_isError(size) ? 0 : size);
  return out;
}

absl::Status CheckHeader(const quern_disk_header& header, uint64_t size,
                         const KernelKey& key) {
  if (header.magic != QUERN_DISK_MAGIC) {
    return absl::InvalidArgumentError("not a kernel on disk");
  }
  if (header.format_version != QUERN_DISK_FORMAT_VERSION) {
    return absl::FailedPreconditionError("an entry of another version");
  }
  if (header.reserved0 != 0 ||
      std::any_of(std::begin(header.reserved), std::end(header.reserved),
                  [](uint8_t byte) { return byte != 0; })) {
    return absl::InvalidArgumentError("reserved bytes of the entry are set");
  }
  if (!std::equal(key.bytes.begin(), key.bytes.end(), header.key)) {
    return absl::InvalidArgumentError("the entry is that of another key");
  }
  const uint64_t rest = size - QUERN_DISK_HEADER_SIZE;
  if (header.image_size_bytes > rest ||
      header.source_size_bytes != rest - header.image_size_bytes) {
    return absl::InvalidArgumentError("the entry's sizes are not its length");
  }
  return absl::OkStatus();
}

}  // namespace

std::string EncodeDiskEntry(const KernelKey& key, std::string_view image,
                            const CompileSpec* spec) {
  quern_disk_header header{};
  header.magic = QUERN_DISK_MAGIC;
  header.format_version = QUERN_DISK_FORMAT_VERSION;
  header.image_size_bytes = image.size();
  std::copy(key.bytes.begin(), key.bytes.end(), header.key);
  std::string source;
  if (spec != nullptr) {
    const std::string canonical = CanonicalBytes(*spec);
    source = Compressed(canonical);
    header.source_size_bytes = source.size();
    header.spec_size_bytes = source.empty() ? 0 : canonical.size();
  }
  const Sha256Digest digest = DigestOf(header, image, source);
  std::copy(digest.begin(), digest.end(), header.sha256);
  std::string bytes;
  bytes.reserve(sizeof(header) + image.size() + source.size());
  bytes.append(reinterpret_cast<const char*>(&header), sizeof(header));
  bytes.append(image).append(source);
  return bytes;
}

absl::StatusOr<DiskEntry> CheckDiskEntry(std::string_view bytes,
                                         const KernelKey& key) {
  if (bytes.size() < QUERN_DISK_HEADER_SIZE) {
    return absl::InvalidArgumentError("shorter than an entry's header");
  }
  quern_disk_header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  QUERN_RETURN_IF_ERROR(CheckHeader(header, bytes.size(), key));
  const DiskEntry entry{
      .image = bytes.substr(QUERN_DISK_HEADER_SIZE, header.image_size_bytes),
      .source = bytes.substr(QUERN_DISK_HEADER_SIZE + header.image_size_bytes),
      .spec_size_bytes = header.spec_size_bytes};
  const Sha256Digest digest = DigestOf(header, entry.image, entry.source);
  if (!std::equal(digest.begin(), digest.end(), header.sha256)) {
    return absl::DataLossError("the entry's digest does not match its bytes");
  }
  QUERN_ASSIGN_OR_RETURN(const quern_image_header image,
                         VerifyImage(entry.image));
  if (KeyOfImage(image) != key) {
    return absl::InvalidArgumentError("the image is that of another key");
  }
  return entry;
}

absl::StatusOr<CompileSpec> DecodeDiskSource(const DiskEntry& entry,
                                             uint64_t spec_size_bytes_max) {
  if (entry.source.empty()) {
    return absl::NotFoundError("the entry holds no source");
  }
  if (entry.spec_size_bytes > spec_size_bytes_max) {
    return absl::ResourceExhaustedError("the entry's source is too large");
  }
  const absl::Status bad =
      absl::DataLossError("the entry's source does not decompress");
  if (ZSTD_getFrameContentSize(entry.source.data(), entry.source.size()) !=
      entry.spec_size_bytes) {
    return bad;
  }
  std::string canonical(entry.spec_size_bytes, '\0');
  const size_t size = ZSTD_decompress(canonical.data(), canonical.size(),
                                      entry.source.data(), entry.source.size());
  if (ZSTD_isError(size) || size != canonical.size()) return bad;
  absl::StatusOr<CompileSpec> spec = ParseSpec(canonical);
  if (!spec.ok()) return absl::DataLossError(spec.status().message());
  return spec;
}

}  // namespace quern
