// A mapping of shared memory with one owner, unmapped when the owner goes.
//
// Not thread-safe to move; the mapped bytes are as safe as what uses them.
#ifndef QUERN_PROTO_WIRE_SHARED_REGION_H_
#define QUERN_PROTO_WIRE_SHARED_REGION_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "proto/wire/unique_fd.h"

namespace quern {

// What a mapping may be used for. Never writable and executable at once: the
// code slabs rely on it, also under MemoryDenyWriteExecute.
enum class Access { kRead, kReadWrite, kReadExecute };

class SharedRegion final {
 public:
  // Maps the first `size_bytes` of `fd`, shared.
  //
  // InvalidArgument: `size_bytes` is 0, or the file is shorter.
  // PermissionDenied: the file's seals or mode forbid the access.
  // ResourceExhausted: no address space or memory.
  static absl::StatusOr<SharedRegion> Map(int fd, size_t size_bytes,
                                          Access access);

  SharedRegion() = default;
  SharedRegion(SharedRegion&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)),
        size_bytes_(std::exchange(other.size_bytes_, 0)) {}
  SharedRegion& operator=(SharedRegion&& other) noexcept;
  ~SharedRegion();

  uint8_t* data() const { return data_; }
  size_t size_bytes() const { return size_bytes_; }

 private:
  SharedRegion(uint8_t* data, size_t size_bytes)
      : data_(data), size_bytes_(size_bytes) {}

  uint8_t* data_ = nullptr;
  size_t size_bytes_ = 0;
};

// Makes a memfd of `size_bytes` zero bytes, called `name` in /proc, sealed
// against shrinking and growing and, where the kernel can, against being made
// executable as a file (it still maps read+exec).
//
// ResourceExhausted: no descriptors or memory.
absl::StatusOr<UniqueFd> CreateSealedMemory(const char* name,
                                            size_t size_bytes);

// Seals `fd` so that no new mapping of it can be writable and no further seal
// can be added. Mappings that exist stay as they are.
absl::Status SealFutureWrites(int fd);

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_SHARED_REGION_H_
