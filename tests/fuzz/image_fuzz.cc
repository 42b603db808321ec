// Fuzzes the check of kernel images, and what a client does with one that
// passes: whatever the bytes, nothing outside of them is touched.
#include <cstdint>
#include <cstring>
#include <string>

#include "proto/wire/image.h"

namespace quern {
namespace {

// Sums the bytes of a range, so that a range outside the image is noticed.
uint64_t Touch(std::string_view image, const quern_image_range& range) {
  uint64_t sum = 0;
  for (const char byte : RangeOf(image, range)) {
    sum += static_cast<uint8_t>(byte);
  }
  return sum;
}

void Check(const std::string& bytes) {
  const absl::StatusOr<quern_image_header> header = VerifyImage(bytes);
  if (!header.ok()) return;
  volatile uint64_t sink = 0;
  for (const quern_image_range& range :
       {header->code, header->constants, header->features, header->name,
        header->asserts, header->lines}) {
    sink = sink + Touch(bytes, range);
  }
  if (header->entry_offset >= bytes.size()) __builtin_trap();
  if (header->argument_count > 128) __builtin_trap();
}

}  // namespace
}  // namespace quern

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  quern::Check(bytes);
  if (bytes.size() < sizeof(quern_image_header)) return 0;
  // A second time with size and digest put right, to get past them.
  quern_image_header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  header.magic = QUERN_IMAGE_MAGIC;
  header.format_version = QUERN_IMAGE_FORMAT_VERSION;
  header.abi_version = 1;
  header.image_size_bytes = bytes.size();
  header.machine = QUERN_MACHINE_X86_64;
  header.reserved0 = 0;
  std::memset(header.reserved, 0, sizeof(header.reserved));
  std::memcpy(bytes.data(), &header, sizeof(header));
  const auto digest = quern::ImageDigest(bytes);
  std::memcpy(bytes.data() + offsetof(quern_image_header, sha256),
              digest.data(), digest.size());
  quern::Check(bytes);
  return 0;
}
