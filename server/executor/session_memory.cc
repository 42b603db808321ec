// Mapping and unmapping.
#include "server/executor/session_memory.h"

#include <utility>

#include "proto/wire/status.h"

namespace quern {
namespace {

absl::Status CheckId(uint32_t id) {
  return id != 0 ? absl::OkStatus() : absl::InvalidArgumentError("0 is no id");
}

}  // namespace

absl::Status SessionMemory::LoadKernel(uint32_t id, const KernelKey& key,
                                       ImagePlace place, int fd,
                                       uint64_t slab_size_bytes) {
  QUERN_RETURN_IF_ERROR(CheckId(id));
  QUERN_ASSIGN_OR_RETURN(std::shared_ptr<const SharedRegion> slab,
                         Slab(place.slab, fd, slab_size_bytes));
  QUERN_ASSIGN_OR_RETURN(std::shared_ptr<const LoadedKernel> kernel,
                         quern::LoadKernel(key, place, std::move(slab)));
  KernelSlot& slot = kernels_[SlotIndex(id, kKernelIndexBits)];
  slot.id.store(0, std::memory_order_relaxed);
  slot.kernel.store(kernel.get(), std::memory_order_relaxed);
  slot.owner = std::move(kernel);
  // Pairs with the acquire in FindKernel.
  slot.id.store(id, std::memory_order_release);
  return absl::OkStatus();
}

void SessionMemory::UnloadKernel(uint32_t id) {
  KernelSlot& slot = kernels_[SlotIndex(id, kKernelIndexBits)];
  if (slot.id.load(std::memory_order_relaxed) != id) return;
  slot.id.store(0, std::memory_order_relaxed);
  slot.owner.reset();
}

absl::Status SessionMemory::MapBuffer(uint32_t id, int fd,
                                      uint64_t size_bytes) {
  QUERN_RETURN_IF_ERROR(CheckId(id));
  QUERN_ASSIGN_OR_RETURN(SharedRegion region,
                         SharedRegion::Map(fd, size_bytes, Access::kReadWrite));
  BufferSlot& slot = buffers_[SlotIndex(id, kBufferIndexBits)];
  slot.id.store(0, std::memory_order_relaxed);
  slot.address.store(reinterpret_cast<uintptr_t>(region.data()),
                     std::memory_order_relaxed);
  slot.size_bytes.store(size_bytes, std::memory_order_relaxed);
  slot.owner = std::move(region);
  // Pairs with the acquire in FindBuffer.
  slot.id.store(id, std::memory_order_release);
  return absl::OkStatus();
}

void SessionMemory::UnmapBuffer(uint32_t id) {
  BufferSlot& slot = buffers_[SlotIndex(id, kBufferIndexBits)];
  if (slot.id.load(std::memory_order_relaxed) != id) return;
  slot.id.store(0, std::memory_order_relaxed);
  slot.owner = SharedRegion();
}

absl::StatusOr<std::shared_ptr<const SharedRegion>> SessionMemory::Slab(
    uint32_t id, int fd, uint64_t size_bytes) {
  std::erase_if(slabs_, [](const auto& slab) { return slab.second.expired(); });
  std::weak_ptr<const SharedRegion>& known = slabs_[id];
  if (std::shared_ptr<const SharedRegion> slab = known.lock()) return slab;
  QUERN_ASSIGN_OR_RETURN(
      SharedRegion region,
      SharedRegion::Map(fd, size_bytes, Access::kReadExecute));
  auto slab = std::make_shared<const SharedRegion>(std::move(region));
  known = slab;
  return slab;
}

}  // namespace quern
