// A page that is wiped in forked children.
#include "client/runtime/fork_guard.h"

#include <sys/mman.h>

#include <cerrno>
#include <new>

#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr size_t kGuardSizeBytes = 4096;

}  // namespace

absl::StatusOr<std::unique_ptr<ForkGuard>> ForkGuard::Create() {
  void* page = ::mmap(nullptr, kGuardSizeBytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return ErrnoStatus(errno, "mmap");
  if (::madvise(page, kGuardSizeBytes, MADV_WIPEONFORK) != 0) {
    const int error = errno;
    ::munmap(page, kGuardSizeBytes);
    return ErrnoStatus(error, "madvise(MADV_WIPEONFORK)");
  }
  return std::unique_ptr<ForkGuard>(
      new ForkGuard(::new (page) std::atomic<int>(1)));
}

ForkGuard::~ForkGuard() { ::munmap(mark_, kGuardSizeBytes); }

}  // namespace quern
