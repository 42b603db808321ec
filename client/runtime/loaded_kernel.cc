// From a place in a slab to a function pointer.
#include "client/runtime/loaded_kernel.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/image.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kMachine = QUERN_MACHINE_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kMachine = QUERN_MACHINE_AARCH64;
#else
#error "Quern runs kernels on x86-64 and AArch64"
#endif

absl::Status CheckHeader(const quern_image_header& header, const KernelKey& key,
                         uint64_t room) {
  if (header.magic != QUERN_IMAGE_MAGIC) {
    return absl::DataLossError("the directory names a place without an image");
  }
  if (KeyOfImage(header) != key) {
    return absl::NotFoundError("another kernel has the same tag");
  }
  if (header.format_version != QUERN_IMAGE_FORMAT_VERSION ||
      header.abi_version != QUERN_KERNEL_ABI_VERSION) {
    return absl::FailedPreconditionError(
        "the kernel was compiled for another version of this library");
  }
  if (header.machine != kMachine) {
    return absl::FailedPreconditionError(
        "the kernel was compiled for another kind of processor");
  }
  const uint64_t code_end =
      uint64_t{header.code.offset} + header.code.size_bytes;
  if (header.image_size_bytes > room || code_end > header.image_size_bytes ||
      header.entry_offset < header.code.offset ||
      header.entry_offset >= code_end ||
      header.argument_count > QUERN_ARGUMENTS_MAX) {
    return absl::DataLossError("the image's header contradicts itself");
  }
  return absl::OkStatus();
}

// Other cores of this process may still hold what they fetched from these
// addresses before the image was there.
void SynchronizeInstructions(const uint8_t* image, uint64_t size_bytes) {
  char* begin = reinterpret_cast<char*>(const_cast<uint8_t*>(image));
  __builtin___clear_cache(begin, begin + size_bytes);
#if defined(__aarch64__)
  constexpr int kRegisterPrivateExpeditedSyncCore = 1 << 6;
  constexpr int kPrivateExpeditedSyncCore = 1 << 5;
  if (::syscall(SYS_membarrier, kPrivateExpeditedSyncCore, 0, 0) != 0) {
    ::syscall(SYS_membarrier, kRegisterPrivateExpeditedSyncCore, 0, 0);
    ::syscall(SYS_membarrier, kPrivateExpeditedSyncCore, 0, 0);
  }
#endif
}

std::string_view Bytes(const LoadedKernel& kernel,
                       const quern_image_range& range) {
  const uint64_t end = uint64_t{range.offset} + range.size_bytes;
  if (end > kernel.header.image_size_bytes) return {};
  return {reinterpret_cast<const char*>(kernel.image) + range.offset,
          range.size_bytes};
}

}  // namespace

std::string LoadedKernel::Name() const {
  return std::string(Bytes(*this, header.name));
}

std::string LoadedKernel::AssertMessage(int32_t number) const {
  std::string_view messages = Bytes(*this, header.asserts);
  for (int32_t i = 1; i < number && !messages.empty(); ++i) {
    const size_t end = messages.find('\0');
    messages.remove_prefix(end == std::string_view::npos ? messages.size()
                                                         : end + 1);
  }
  if (number < 1 || messages.empty()) {
    return absl::StrCat("device assert ", number);
  }
  return std::string(messages.substr(0, messages.find('\0')));
}

absl::StatusOr<std::shared_ptr<const LoadedKernel>> LoadKernel(
    const KernelKey& key, ImagePlace place,
    std::shared_ptr<const SharedRegion> slab) {
  const uint64_t offset = uint64_t{place.page} * QUERN_IMAGE_ALIGNMENT;
  if (offset + QUERN_IMAGE_HEADER_SIZE > slab->size_bytes()) {
    return absl::DataLossError("the directory names a place outside its slab");
  }
  auto kernel = std::make_shared<LoadedKernel>();
  kernel->image = slab->data() + offset;
  std::memcpy(&kernel->header, kernel->image, sizeof(kernel->header));
  QUERN_RETURN_IF_ERROR(
      CheckHeader(kernel->header, key, slab->size_bytes() - offset));
  SynchronizeInstructions(kernel->image, kernel->header.image_size_bytes);
  kernel->key = key;
  kernel->entry = reinterpret_cast<quern_entry>(
      reinterpret_cast<uintptr_t>(kernel->image + kernel->header.entry_offset));
  kernel->slab_id = place.slab;
  kernel->slab = std::move(slab);
  return kernel;
}

}  // namespace quern
