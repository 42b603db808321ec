// The three ends of a ring (ring_layout.h): the client's, the executor's, and
// the daemon's, which made it.
//
// An end trusts nothing that it reads there: it copies a slot once, and counts
// for itself. A peer that writes nonsense gets nonsense, and harms nobody else.
// The methods that pass launches allocate nothing, and make no system call
// unless they wait longer than they spin, or wake a peer that sleeps.
//
// An end is for one thread at a time.
#ifndef QUERN_PROTO_WIRE_RING_H_
#define QUERN_PROTO_WIRE_RING_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/ring_layout.h"
#include "proto/wire/shared_region.h"
#include "proto/wire/unique_fd.h"

namespace quern {

// The size of the memory of a ring, in bytes.
constexpr size_t RingSizeBytes(uint32_t slot_count) {
  return QUERN_RING_HEADER_SIZE +
         size_t{slot_count} *
             (sizeof(quern_ring_submission) + sizeof(quern_ring_completion));
}

// Whether a ring may have that many slots.
constexpr bool IsRingSlotCount(uint64_t count) {
  return count >= 1 && count <= QUERN_RING_SLOTS_MAX &&
         (count & (count - 1)) == 0;
}

// The word of a pointer argument.
constexpr uint64_t RingPointer(uint32_t buffer, uint64_t offset_bytes) {
  return uint64_t{buffer} << QUERN_RING_OFFSET_BITS | offset_bytes;
}

// How often an end looks before it sleeps, at most: about 50 us, which is
// longer than a client that launches back to back takes between two launches.
inline constexpr int kRingSpinsMax = 2000;

// What a client submits.
struct RingLaunch {
  uint64_t tag = 0;
  uint32_t kernel = 0;
  std::array<uint32_t, 3> grid = {1, 1, 1};
  uint16_t flags = 0;
  // At most QUERN_RING_ARGUMENTS_MAX.
  std::span<const uint64_t> arguments;
};

// What an executor answers.
struct RingResult {
  uint32_t status = QUERN_RING_OK;
  uint32_t detail = 0;
  uint64_t run_nanoseconds = 0;
};

// One end's view of the memory, with copies of what it needs of the header.
class RingMemory final {
 public:
  // Checks the header in `region`.
  //
  // InvalidArgument: not a ring, of another version, or cut off.
  static absl::StatusOr<RingMemory> Check(SharedRegion region);

  RingMemory(RingMemory&&) = default;
  RingMemory& operator=(RingMemory&&) = default;

  uint32_t slot_count() const { return mask_ + 1; }
  quern_ring_header& header() const {
    return *reinterpret_cast<quern_ring_header*>(region_.data());
  }
  quern_ring_submission& submission(uint32_t number) const {
    return submissions_[number & mask_];
  }
  quern_ring_completion& completion(uint32_t number) const {
    return completions_[number & mask_];
  }

 private:
  RingMemory(SharedRegion region, uint32_t slot_count);

  SharedRegion region_;
  uint32_t mask_;
  quern_ring_submission* submissions_;
  quern_ring_completion* completions_;
};

class RingClient final {
 public:
  // The ring in `region`, mapped read-write and not used before.
  //
  // InvalidArgument: as RingMemory::Check.
  static absl::StatusOr<RingClient> Open(SharedRegion region);

  uint32_t slot_count() const { return memory_.slot_count(); }
  // Launches that were submitted and whose completion was not taken.
  uint32_t outstanding() const { return submitted_ - taken_; }

  // Writes a launch into the ring. False: every slot is outstanding. The
  // executor may see it at once, but one that sleeps does not before Wake().
  bool Submit(const RingLaunch& launch);

  // Wakes the executor if it sleeps. Call it once after a batch.
  void Wake();

  // Takes the completion of the oldest outstanding launch, if it is there. Its
  // tag is that of the launch, whatever the executor wrote.
  bool Take(quern_ring_completion& completion);

  // Gives up on the oldest outstanding launch, because the executor ended with
  // `state`: fills in its completion. False: none is outstanding.
  bool Abandon(uint32_t state, quern_ring_completion& completion);

  // Waits until Take would take one or the ring's state is not RUNNING, but
  // not longer than it spins and then sleeps for `timeout`. Returns whether
  // either is so.
  bool Await(absl::Duration timeout);

  // A quern_ring_state, or whatever lies there.
  uint32_t state() const;

 private:
  explicit RingClient(RingMemory memory)
      : memory_(std::move(memory)), tags_(memory_.slot_count()) {}

  bool Ready() const;

  RingMemory memory_;
  std::vector<uint64_t> tags_;
  uint32_t submitted_ = 0;
  uint32_t taken_ = 0;
  int spins_ = kRingSpinsMax;
};

class RingExecutor final {
 public:
  // As RingClient::Open.
  static absl::StatusOr<RingExecutor> Open(SharedRegion region);

  // Takes the next launch, if it is there: a copy, valid until the next call.
  // Its `argument_count` may exceed what a slot holds; its `arguments` are
  // then not copied.
  const quern_ring_submission* Take();

  // Waits until Take would take one or `stop` is set, but not longer than it
  // spins and then sleeps for `timeout`. Returns whether either is so.
  bool Await(absl::Duration timeout, const std::atomic<bool>& stop);

  // Ends the sleep of an Await in another thread, whose `stop` the caller has
  // set before. Thread-safe.
  void Interrupt();

  // Tells the daemon that the launch that was taken begins.
  void Begin();

  // Ends it and gives its completion.
  void Complete(const RingResult& result);

 private:
  explicit RingExecutor(RingMemory memory) : memory_(std::move(memory)) {}

  bool Ready() const;

  RingMemory memory_;
  uint32_t taken_ = 0;
  uint64_t ended_ = 0;
  int spins_ = kRingSpinsMax;
  quern_ring_submission launch_;
};

// The daemon's end: it makes the ring, watches it, and ends it.
class RingOwner final {
 public:
  // Makes a ring of `slot_count` slots.
  //
  // InvalidArgument: not a number of slots that a ring may have.
  // ResourceExhausted: no descriptors or memory.
  static absl::StatusOr<RingOwner> Create(uint32_t slot_count);

  // The sealed memory, to be passed on; -1 after CloseFd.
  int fd() const { return fd_.get(); }
  void CloseFd() { fd_.reset(); }
  size_t size_bytes() const { return RingSizeBytes(memory_.slot_count()); }

  // Sets the state to `state`, a quern_ring_state, for good, and wakes who
  // sleeps on the ring.
  void End(uint32_t state);

  // What the executor says of its progress; the ring's header explains it.
  uint64_t progress() const;

 private:
  RingOwner(UniqueFd fd, RingMemory memory)
      : fd_(std::move(fd)), memory_(std::move(memory)) {}

  UniqueFd fd_;
  RingMemory memory_;
};

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_RING_H_
