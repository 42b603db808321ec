// Scratch memory for kernels, kept for reuse.
//
// Thread-safe and lock-free where a buffer is free; otherwise it allocates.
#ifndef QUERN_CLIENT_RUNTIME_SCRATCH_POOL_H_
#define QUERN_CLIENT_RUNTIME_SCRATCH_POOL_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace quern {

class ScratchPool final {
 public:
  // One thread's buffer while it runs a kernel; goes back when it goes.
  class Lease final {
   public:
    Lease(Lease&& other) noexcept : pool_(other.pool_), buffer_(other.buffer_) {
      other.buffer_ = nullptr;
    }
    ~Lease();

    // Aligned to QUERN_SCRATCH_ALIGNMENT; null if 0 bytes were asked for, or
    // if there was no memory.
    void* data() const;

   private:
    friend class ScratchPool;
    struct Buffer;
    Lease(ScratchPool* pool, Buffer* buffer) : pool_(pool), buffer_(buffer) {}

    ScratchPool* pool_;
    Buffer* buffer_;
  };

  ScratchPool() = default;
  ScratchPool(const ScratchPool&) = delete;
  ScratchPool& operator=(const ScratchPool&) = delete;
  ~ScratchPool();

  // Returns a buffer of at least `size_bytes`, or none if that is more than
  // QUERN_SCRATCH_SIZE_MAX. Its contents are anything.
  Lease Take(uint64_t size_bytes);

 private:
  // As many buffers as threads that commonly launch at once; more are freed
  // when they come back.
  static constexpr size_t kKeptMax = 64;

  void GiveBack(Lease::Buffer* buffer);

  std::array<std::atomic<Lease::Buffer*>, kKeptMax> kept_{};
};

}  // namespace quern

#endif  // QUERN_CLIENT_RUNTIME_SCRATCH_POOL_H_
