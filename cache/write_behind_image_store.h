// An image store that writes later: Put and Touch queue, and one thread writes.
//
// Until it is written an entry is answered from the queue. What does not fit
// the queue is dropped and counted: a slow disk costs entries, never time.
// Touches come in bursts, so the thread gathers them for a moment.
#ifndef QUERN_CACHE_WRITE_BEHIND_IMAGE_STORE_H_
#define QUERN_CACHE_WRITE_BEHIND_IMAGE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cache/image_store.h"

namespace quern {

struct WriteBehindOptions {
  uint32_t queued_max = 256;
  // Images and sources, uncompressed.
  uint64_t queued_bytes_max = uint64_t{64} << 20;
  // Touches that wait; more are forgotten.
  uint32_t touched_max = 1024;
  // How long they are gathered.
  absl::Duration touch_delay = absl::Milliseconds(100);
  // Called by the thread before its first write.
  std::function<void()> on_start = [] {};
  // Called by the thread with what came of each write.
  std::function<void(const absl::Status&)> on_written =
      [](const absl::Status&) {};
};

// Put answers at once: OK if the entry is queued or dropped. So does Touch.
// Remove also takes an entry out of the queue, and waits for a write of it that
// is under way.
class WriteBehindImageStore : public ImageStore {
 public:
  // Takes nothing more, and waits until what is queued has been written, at
  // most for `timeout`; drops the rest.
  virtual void Drain(absl::Duration timeout) = 0;

  // Entries that were never handed to `base`.
  virtual uint64_t dropped() = 0;
};

// The destructor drops what is queued and waits for a write under way.
std::unique_ptr<WriteBehindImageStore> NewWriteBehindImageStore(
    std::unique_ptr<ImageStore> base, WriteBehindOptions options);

}  // namespace quern

#endif  // QUERN_CACHE_WRITE_BEHIND_IMAGE_STORE_H_
