// Ids for the kernels and buffers of a session: the index of a slot in a table
// in the low bits, above them how often the slot was given out. An id that was
// given back names nothing, until its slot has been given out so often that the
// count begins again.
#ifndef QUERN_SERVER_EXECUTOR_SLOT_IDS_H_
#define QUERN_SERVER_EXECUTOR_SLOT_IDS_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "proto/wire/ring_layout.h"

namespace quern {

// The most kernels and buffers of a session, and the bits of their ids.
inline constexpr int kKernelIndexBits = 12;
inline constexpr int kKernelIdBits = 32;
inline constexpr int kBufferIndexBits = 10;
inline constexpr int kBufferIdBits = QUERN_RING_BUFFER_BITS;

constexpr uint32_t SlotIndex(uint32_t id, int index_bits) {
  return id & ((uint32_t{1} << index_bits) - 1);
}

// Not thread-safe.
class SlotIds final {
 public:
  // Gives out at most `count_max` ids at a time, at most 2^index_bits.
  SlotIds(int index_bits, int id_bits, uint32_t count_max)
      : index_bits_(index_bits),
        generation_max_((uint64_t{1} << (id_bits - index_bits)) - 1),
        generations_(count_max, 0) {
    for (uint32_t i = 0; i < count_max; ++i) free_.push_back(i);
  }

  // An id, never 0. None: all are given out.
  std::optional<uint32_t> Take() {
    if (free_.empty()) return std::nullopt;
    const uint32_t index = free_.front();
    free_.pop_front();
    uint32_t& generation = generations_[index];
    generation = generation == generation_max_ ? 1 : generation + 1;
    return generation << index_bits_ | index;
  }

  // Takes back an id that Take gave. The slot that has been free for longest
  // is given out next.
  void GiveBack(uint32_t id) { free_.push_back(SlotIndex(id, index_bits_)); }

 private:
  const int index_bits_;
  const uint64_t generation_max_;
  std::vector<uint32_t> generations_;
  std::deque<uint32_t> free_;
};

}  // namespace quern

#endif  // QUERN_SERVER_EXECUTOR_SLOT_IDS_H_
