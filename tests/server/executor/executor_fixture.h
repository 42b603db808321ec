// Kernels and buffers in shared memory, as a daemon hands them to an executor.
#ifndef QUERN_TESTS_SERVER_EXECUTOR_EXECUTOR_FIXTURE_H_
#define QUERN_TESTS_SERVER_EXECUTOR_EXECUTOR_FIXTURE_H_

#include <cstring>
#include <string>

#include "gtest/gtest.h"
#include "proto/wire/image_format.h"
#include "proto/wire/kernel_key.h"
#include "proto/wire/shared_region.h"
#include "server/executor/session_memory.h"
#include "tests/client/fakes/fake_daemon.h"

namespace quern {

inline KernelKey TestKey(uint8_t byte) {
  KernelKey key;
  key.bytes.fill(byte);
  return key;
}

// The machine code of a kernel that returns the 32-bit integer that its first
// argument points to.
inline std::string CodeReturningPointee() {
#if defined(__x86_64__)
  // mov (%rdi), %rax; mov (%rax), %rax; mov (%rax), %eax; ret
  return {"\x48\x8b\x07\x48\x8b\x00\x8b\x00\xc3", 9};
#else
  // ldr x0, [x0]; ldr x0, [x0]; ldr w0, [x0]; ret
  return {"\x00\x00\x40\xf9\x00\x00\x40\xf9\x00\x00\x40\xb9\xc0\x03\x5f\xd6",
          16};
#endif
}

// A slab with images, each on a page of its own.
class TestSlab final {
 public:
  static constexpr uint64_t kSizeBytes = 64 << 10;

  TestSlab() : fd_(*CreateSealedMemory("test-slab", kSizeBytes)) {}

  int fd() const { return fd_.get(); }

  // The first `pointers` of the kernel's arguments are pointers.
  ImagePlace Add(const KernelKey& key, const std::string& code,
                 uint32_t argument_count, uint32_t pointers) {
    const std::string image =
        TestImage(key, code, argument_count, [&](quern_image_header& header) {
          std::memset(header.argument_kinds, QUERN_ARGUMENT_POINTER, pointers);
        });
    const SharedRegion writer =
        *SharedRegion::Map(fd(), kSizeBytes, Access::kReadWrite);
    std::memcpy(writer.data() + pages_ * QUERN_IMAGE_ALIGNMENT, image.data(),
                image.size());
    return {.slab = 1, .page = pages_++};
  }

 private:
  UniqueFd fd_;
  uint32_t pages_ = 0;
};

}  // namespace quern

#endif  // QUERN_TESTS_SERVER_EXECUTOR_EXECUTOR_FIXTURE_H_
