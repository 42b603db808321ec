// Where buffers lie in scratch memory.
#include "compiler/plan/planner.h"

namespace quern {

// Buffers start on cache lines, one line further apart than their size, so
// that buffers of a power of two do not all fall on one set of a cache.
uint64_t LayOutBuffers(Plan& plan) {
  constexpr uint64_t kLineBytes = 64;
  uint64_t end_bytes = 0;
  for (Buffer& buffer : plan.buffers) {
    if (buffer.parent >= 0) continue;
    buffer.offset_bytes = end_bytes;
    const uint64_t lines = (buffer.size_bytes + kLineBytes - 1) / kLineBytes;
    end_bytes += (lines + 1) * kLineBytes;
  }
  for (Buffer& buffer : plan.buffers) {
    if (buffer.parent < 0) continue;
    buffer.offset_bytes =
        plan.buffers[buffer.parent].offset_bytes + buffer.parent_offset_bytes;
  }
  return end_bytes;
}

}  // namespace quern
