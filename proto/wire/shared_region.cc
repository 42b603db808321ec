// Mappings of shared memory, and the memfds under them.
#include "proto/wire/shared_region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "proto/wire/status.h"

// Linux 6.3; Debian 12's headers do not name it.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

namespace quern {
namespace {

int Protection(Access access) {
  switch (access) {
    case Access::kRead:
      return PROT_READ;
    case Access::kReadWrite:
      return PROT_READ | PROT_WRITE;
    case Access::kReadExecute:
      return PROT_READ | PROT_EXEC;
  }
  return PROT_NONE;
}

// Kernels before 6.3 answer EINVAL to a flag that they do not know.
int CreateMemory(const char* name) {
  constexpr unsigned kFlags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  const int fd = ::memfd_create(name, kFlags | MFD_NOEXEC_SEAL);
  if (fd >= 0 || errno != EINVAL) return fd;
  return ::memfd_create(name, kFlags);
}

}  // namespace

absl::StatusOr<SharedRegion> SharedRegion::Map(int fd, size_t size_bytes,
                                               Access access) {
  struct stat status;
  // By number: libc asks by a path, which an executor's sandbox must forbid.
  if (::syscall(SYS_fstat, fd, &status) != 0)
    return ErrnoStatus(errno, "fstat");
  if (size_bytes == 0 || status.st_size < 0 ||
      static_cast<uint64_t>(status.st_size) < size_bytes) {
    return absl::InvalidArgumentError("the memory is shorter than its mapping");
  }
  void* data =
      ::mmap(nullptr, size_bytes, Protection(access), MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return ErrnoStatus(errno, "mmap");
  return SharedRegion(static_cast<uint8_t*>(data), size_bytes);
}

SharedRegion& SharedRegion::operator=(SharedRegion&& other) noexcept {
  if (this != &other) {
    if (data_ != nullptr) ::munmap(data_, size_bytes_);
    data_ = std::exchange(other.data_, nullptr);
    size_bytes_ = std::exchange(other.size_bytes_, 0);
  }
  return *this;
}

SharedRegion::~SharedRegion() {
  if (data_ != nullptr) ::munmap(data_, size_bytes_);
}

absl::StatusOr<UniqueFd> CreateSealedMemory(const char* name,
                                            size_t size_bytes) {
  UniqueFd fd(CreateMemory(name));
  if (!fd.valid()) return ErrnoStatus(errno, "memfd_create");
  if (::ftruncate(fd.get(), static_cast<off_t>(size_bytes)) != 0) {
    return ErrnoStatus(errno, "ftruncate");
  }
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
    return ErrnoStatus(errno, "fcntl(F_ADD_SEALS)");
  }
  return fd;
}

absl::Status SealFutureWrites(int fd) {
  if (::fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) != 0) {
    return ErrnoStatus(errno, "fcntl(F_ADD_SEALS)");
  }
  return absl::OkStatus();
}

}  // namespace quern
