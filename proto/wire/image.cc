// Checks of kernel images.
#include "proto/wire/image.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "proto/wire/kernel_abi.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr size_t kDigestOffset = offsetof(quern_image_header, sha256);

absl::Status CheckRange(const quern_image_range& range, uint64_t image_size,
                        std::string_view what) {
  const uint64_t end = uint64_t{range.offset} + range.size_bytes;
  const bool empty = range.offset == 0 && range.size_bytes == 0;
  if (!empty && (range.offset < QUERN_IMAGE_HEADER_SIZE || end > image_size)) {
    return absl::InvalidArgumentError(std::string(what) +
                                      " of the image lies outside of it");
  }
  return absl::OkStatus();
}

absl::Status CheckRanges(const quern_image_header& header) {
  const uint64_t size = header.image_size_bytes;
  QUERN_RETURN_IF_ERROR(CheckRange(header.code, size, "code"));
  QUERN_RETURN_IF_ERROR(CheckRange(header.constants, size, "constants"));
  QUERN_RETURN_IF_ERROR(CheckRange(header.features, size, "features"));
  QUERN_RETURN_IF_ERROR(CheckRange(header.name, size, "name"));
  QUERN_RETURN_IF_ERROR(CheckRange(header.asserts, size, "asserts"));
  QUERN_RETURN_IF_ERROR(CheckRange(header.lines, size, "lines"));
  const uint64_t code_end =
      uint64_t{header.code.offset} + header.code.size_bytes;
  if (header.entry_offset < header.code.offset ||
      header.entry_offset >= code_end) {
    return absl::InvalidArgumentError("the image's entry is not in its code");
  }
  return absl::OkStatus();
}

absl::Status CheckArguments(const quern_image_header& header) {
  if (header.argument_count > QUERN_ARGUMENTS_MAX) {
    return absl::InvalidArgumentError("the image has too many arguments");
  }
  for (uint32_t i = 0; i < QUERN_ARGUMENTS_MAX; ++i) {
    const uint8_t kind = header.argument_kinds[i];
    const bool used = i < header.argument_count;
    if (used ? kind == QUERN_ARGUMENT_NONE || kind > QUERN_ARGUMENT_F64
             : kind != QUERN_ARGUMENT_NONE) {
      return absl::InvalidArgumentError("the image's argument kinds are wrong");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckHeader(const quern_image_header& header, uint64_t size) {
  if (header.magic != QUERN_IMAGE_MAGIC) {
    return absl::InvalidArgumentError("not a kernel image");
  }
  if (header.format_version != QUERN_IMAGE_FORMAT_VERSION ||
      header.abi_version != QUERN_KERNEL_ABI_VERSION) {
    return absl::FailedPreconditionError(
        "the image is of another format or ABI version");
  }
  if (header.image_size_bytes != size) {
    return absl::InvalidArgumentError("the image's size is not its length");
  }
  if (header.machine != QUERN_MACHINE_X86_64 &&
      header.machine != QUERN_MACHINE_AARCH64) {
    return absl::InvalidArgumentError("the image is for an unknown machine");
  }
  if ((header.flags & ~QUERN_IMAGE_NEEDS_SERVICES) != 0 ||
      header.reserved0 != 0 ||
      std::any_of(std::begin(header.reserved), std::end(header.reserved),
                  [](uint8_t byte) { return byte != 0; })) {
    return absl::InvalidArgumentError("reserved bytes of the image are set");
  }
  if (header.scratch_size_bytes > QUERN_SCRATCH_SIZE_MAX) {
    return absl::ResourceExhaustedError(
        "the kernel needs more than 64 MiB of scratch");
  }
  QUERN_RETURN_IF_ERROR(CheckRanges(header));
  return CheckArguments(header);
}

}  // namespace

absl::StatusOr<quern_image_header> VerifyImage(std::string_view bytes) {
  if (bytes.size() < QUERN_IMAGE_HEADER_SIZE ||
      bytes.size() > QUERN_IMAGE_SIZE_MAX) {
    return absl::InvalidArgumentError(
        "an image is between 512 bytes and 4 MiB long");
  }
  quern_image_header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  QUERN_RETURN_IF_ERROR(CheckHeader(header, bytes.size()));
  const Sha256Digest digest = ImageDigest(bytes);
  if (!std::equal(digest.begin(), digest.end(), header.sha256)) {
    return absl::DataLossError("the image's digest does not match its bytes");
  }
  return header;
}

Sha256Digest ImageDigest(std::string_view bytes) {
  static constexpr char kZeros[sizeof(quern_image_header::sha256)] = {};
  return Sha256({bytes.substr(0, kDigestOffset),
                 std::string_view(kZeros, sizeof(kZeros)),
                 bytes.substr(kDigestOffset + sizeof(kZeros))});
}

KernelKey KeyOfImage(const quern_image_header& header) {
  KernelKey key;
  std::copy(std::begin(header.key), std::end(header.key), key.bytes.begin());
  return key;
}

}  // namespace quern
