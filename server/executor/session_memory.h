// What an executor has of its session: kernels and buffers under their ids.
//
// One thread changes it; any number look things up meanwhile, without a lock.
// Who takes away a kernel or buffer that a launch still uses ends the executor:
// that is the session's own affair (RING.md).
#ifndef QUERN_SERVER_EXECUTOR_SESSION_MEMORY_H_
#define QUERN_SERVER_EXECUTOR_SESSION_MEMORY_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "client/runtime/loaded_kernel.h"
#include "proto/wire/directory_word.h"
#include "proto/wire/kernel_key.h"
#include "proto/wire/shared_region.h"
#include "server/executor/slot_ids.h"

namespace quern {

// A buffer as it lies in this process.
struct MappedBuffer {
  uint64_t address = 0;
  uint64_t size_bytes = 0;
};

class SessionMemory final {
 public:
  // The kernel of `id`, or null.
  const LoadedKernel* FindKernel(uint32_t id) const {
    const KernelSlot& slot = kernels_[SlotIndex(id, kKernelIndexBits)];
    // Pairs with the release in LoadKernel.
    if (id == 0 || slot.id.load(std::memory_order_acquire) != id) {
      return nullptr;
    }
    return slot.kernel.load(std::memory_order_relaxed);
  }

  // The buffer of `id`, if there is one.
  std::optional<MappedBuffer> FindBuffer(uint32_t id) const {
    const BufferSlot& slot = buffers_[SlotIndex(id, kBufferIndexBits)];
    // Pairs with the release in MapBuffer.
    if (id == 0 || slot.id.load(std::memory_order_acquire) != id) {
      return std::nullopt;
    }
    return MappedBuffer{
        .address = slot.address.load(std::memory_order_relaxed),
        .size_bytes = slot.size_bytes.load(std::memory_order_relaxed)};
  }

  // Maps the slab in `fd`, unless it is mapped, and loads the kernel at
  // `place` as `id`, in the place of an earlier one of the same slot.
  //
  // InvalidArgument: 0 is no id. Others: SharedRegion::Map's, LoadKernel's.
  absl::Status LoadKernel(uint32_t id, const KernelKey& key, ImagePlace place,
                          int fd, uint64_t slab_size_bytes);
  void UnloadKernel(uint32_t id);

  // Maps the buffer in `fd` as `id`.
  //
  // InvalidArgument: 0 is no id. Others: SharedRegion::Map's.
  absl::Status MapBuffer(uint32_t id, int fd, uint64_t size_bytes);
  void UnmapBuffer(uint32_t id);

 private:
  struct KernelSlot {
    std::atomic<uint32_t> id = 0;
    std::atomic<const LoadedKernel*> kernel = nullptr;
    std::shared_ptr<const LoadedKernel> owner;  // Of the changing thread.
  };
  struct BufferSlot {
    std::atomic<uint32_t> id = 0;
    std::atomic<uint64_t> address = 0;
    std::atomic<uint64_t> size_bytes = 0;
    SharedRegion owner;  // Of the changing thread.
  };

  absl::StatusOr<std::shared_ptr<const SharedRegion>> Slab(uint32_t id, int fd,
                                                           uint64_t size_bytes);

  std::array<KernelSlot, 1 << kKernelIndexBits> kernels_;
  std::array<BufferSlot, 1 << kBufferIndexBits> buffers_;
  // A slab stays mapped as long as one of its kernels is loaded.
  std::map<uint32_t, std::weak_ptr<const SharedRegion>> slabs_;
};

}  // namespace quern

#endif  // QUERN_SERVER_EXECUTOR_SESSION_MEMORY_H_
