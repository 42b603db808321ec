// Buffers that wait in slots, taken and put back by one atomic exchange.
#include "client/runtime/scratch_pool.h"

#include <cstdlib>

#include "proto/wire/image_format.h"
#include "proto/wire/kernel_abi.h"

namespace quern {

// Lies before the bytes it describes, in one allocation.
struct alignas(QUERN_SCRATCH_ALIGNMENT) ScratchPool::Lease::Buffer {
  uint64_t size_bytes;
};

ScratchPool::Lease::~Lease() {
  if (buffer_ != nullptr) pool_->GiveBack(buffer_);
}

void* ScratchPool::Lease::data() const {
  return buffer_ == nullptr ? nullptr : buffer_ + 1;
}

ScratchPool::~ScratchPool() {
  for (std::atomic<Lease::Buffer*>& slot : kept_) {
    std::free(slot.load(std::memory_order_relaxed));
  }
}

ScratchPool::Lease ScratchPool::Take(uint64_t size_bytes) {
  if (size_bytes == 0 || size_bytes > QUERN_SCRATCH_SIZE_MAX) {
    return Lease(this, nullptr);
  }
  for (std::atomic<Lease::Buffer*>& slot : kept_) {
    // Pairs with the release in GiveBack: the size is seen.
    Lease::Buffer* buffer = slot.exchange(nullptr, std::memory_order_acquire);
    if (buffer == nullptr) continue;
    if (buffer->size_bytes >= size_bytes) return Lease(this, buffer);
    std::free(buffer);
    break;
  }
  const uint64_t rounded = (size_bytes + QUERN_SCRATCH_ALIGNMENT - 1) /
                           QUERN_SCRATCH_ALIGNMENT * QUERN_SCRATCH_ALIGNMENT;
  void* memory = std::aligned_alloc(QUERN_SCRATCH_ALIGNMENT,
                                    sizeof(Lease::Buffer) + rounded);
  if (memory == nullptr) return Lease(this, nullptr);
  auto* buffer = static_cast<Lease::Buffer*>(memory);
  buffer->size_bytes = rounded;
  return Lease(this, buffer);
}

void ScratchPool::GiveBack(Lease::Buffer* buffer) {
  for (std::atomic<Lease::Buffer*>& slot : kept_) {
    Lease::Buffer* empty = nullptr;
    // Pairs with the acquire in Take.
    if (slot.load(std::memory_order_relaxed) == nullptr &&
        slot.compare_exchange_strong(empty, buffer,
                                     std::memory_order_release)) {
      return;
    }
  }
  std::free(buffer);
}

}  // namespace quern
