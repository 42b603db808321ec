// Building an image by hand.
#include "tests/fakes/fake_image.h"

#include <algorithm>
#include <cstring>

#include "proto/wire/image.h"
#include "proto/wire/image_format.h"
#include "proto/wire/kernel_abi.h"

namespace quern {
namespace {

// Return 0: `xor eax, eax; ret` and `mov w0, #0; ret`.
constexpr std::string_view kX86Code("\x31\xc0\xc3", 3);
constexpr std::string_view kArmCode("\x00\x00\x80\x52\xc0\x03\x5f\xd6", 8);

}  // namespace

std::string FakeImage(const KernelKey& key, std::string_view name,
                      uint32_t machine, uint64_t size_bytes,
                      uint32_t argument_count) {
  const std::string_view code =
      machine == QUERN_MACHINE_AARCH64 ? kArmCode : kX86Code;
  quern_image_header header{};
  header.magic = QUERN_IMAGE_MAGIC;
  header.format_version = QUERN_IMAGE_FORMAT_VERSION;
  header.abi_version = QUERN_KERNEL_ABI_VERSION;
  header.machine = machine;
  header.argument_count = argument_count;
  std::fill_n(header.argument_kinds, argument_count, QUERN_ARGUMENT_POINTER);
  header.code = {.offset = QUERN_IMAGE_HEADER_SIZE,
                 .size_bytes = static_cast<uint32_t>(code.size())};
  header.name = {
      .offset = QUERN_IMAGE_HEADER_SIZE + static_cast<uint32_t>(code.size()),
      .size_bytes = static_cast<uint32_t>(name.size())};
  header.entry_offset = QUERN_IMAGE_HEADER_SIZE;
  std::copy(key.bytes.begin(), key.bytes.end(), header.key);

  std::string image(QUERN_IMAGE_HEADER_SIZE, '\0');
  image.append(code).append(name);
  image.resize(std::max<uint64_t>(image.size(), size_bytes));
  header.image_size_bytes = image.size();
  std::memcpy(image.data(), &header, sizeof(header));
  const Sha256Digest digest = ImageDigest(image);
  std::copy(digest.begin(), digest.end(), header.sha256);
  std::memcpy(image.data(), &header, sizeof(header));
  return image;
}

uint32_t FakeHostMachine() {
#if defined(__aarch64__)
  return QUERN_MACHINE_AARCH64;
#else
  return QUERN_MACHINE_X86_64;
#endif
}

KernelKey FakeKey(uint8_t byte, uint8_t last) {
  KernelKey key;
  key.bytes.fill(byte);
  key.bytes.back() = last;
  return key;
}

}  // namespace quern
