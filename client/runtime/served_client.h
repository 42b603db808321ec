// Served launches: buffers, kernels and rings of an executor that the daemon
// runs for this session (proto/wire/RING.md).
//
// What is here belongs to one connection: when the daemon goes, everything ends
// and is made anew over a new connection. In a forked child nothing of it can
// be used; every call then fails with FailedPrecondition.
#ifndef QUERN_CLIENT_RUNTIME_SERVED_CLIENT_H_
#define QUERN_CLIENT_RUNTIME_SERVED_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/runtime/attach_client.h"
#include "client/runtime/fork_guard.h"
#include "proto/wire/kernel_key.h"
#include "proto/wire/ring.h"
#include "proto/wire/shared_region.h"

namespace quern {

// What the parts of a session share; it lives as long as the last of them.
struct ServedConnection {
  std::shared_ptr<AttachClient> attach;
  std::unique_ptr<ForkGuard> fork_guard;

  // FailedPrecondition: this is a forked child.
  absl::Status Check() const;
};

// Memory that this process and its executor share. Immutable; freed when it
// goes, which must not be while a launch uses it.
class ServedBuffer final {
 public:
  ServedBuffer(std::shared_ptr<const ServedConnection> connection,
               AttachClient::Shared shared)
      : connection_(std::move(connection)), shared_(std::move(shared)) {}
  ServedBuffer(const ServedBuffer&) = delete;
  ServedBuffer& operator=(const ServedBuffer&) = delete;
  ~ServedBuffer();

  uint8_t* data() const { return shared_.region.data(); }
  uint64_t size_bytes() const { return shared_.region.size_bytes(); }

  // The argument that stands for the byte at `offset_bytes`.
  uint64_t Argument(uint64_t offset_bytes) const {
    return RingPointer(shared_.id, offset_bytes);
  }

 private:
  const std::shared_ptr<const ServedConnection> connection_;
  const AttachClient::Shared shared_;
};

// A ring and what is outstanding in it. For one thread at a time; closed when
// it goes, and launches that have not begun by then do not run.
class ServedRing final {
 public:
  ServedRing(std::shared_ptr<const ServedConnection> connection, uint32_t id,
             RingClient ring)
      : connection_(std::move(connection)), id_(id), ring_(std::move(ring)) {}
  ServedRing(const ServedRing&) = delete;
  ServedRing& operator=(const ServedRing&) = delete;
  ~ServedRing();

  uint32_t slot_count() const { return ring_.slot_count(); }
  uint32_t outstanding() const { return ring_.outstanding(); }

  // Submits launches in their order, as many as there are free slots for, and
  // returns how many: the executor is woken at most once. Their arguments are
  // copied.
  //
  // InvalidArgument: one has too many arguments; those before it are
  //   submitted.
  // Aborted, DeadlineExceeded, ResourceExhausted, Unavailable: the executor
  //   has ended, and why; open another ring.
  // FailedPrecondition: this is a forked child.
  absl::StatusOr<size_t> Submit(std::span<const RingLaunch> launches);

  // Takes the completions that are there, in the order of their launches, at
  // most `completions.size()`, and returns how many.
  //
  // FailedPrecondition: this is a forked child.
  absl::StatusOr<size_t> Take(std::span<quern_ring_completion> completions);

  // Takes completions as Take does. If there is none, waits for one: first
  // spins, then sleeps, `timeout` in all. Returns how many, 0 after the time or
  // if nothing is outstanding. When the executor ends, what was outstanding
  // completes as QUERN_RING_EXECUTOR_ENDED.
  //
  // FailedPrecondition: this is a forked child.
  absl::StatusOr<size_t> Wait(std::span<quern_ring_completion> completions,
                              absl::Duration timeout);

 private:
  size_t TakeReady(std::span<quern_ring_completion> completions);
  // QUERN_RING_RUNNING, or why the ring is of no more use.
  uint32_t State() const;

  const std::shared_ptr<const ServedConnection> connection_;
  const uint32_t id_;
  RingClient ring_;
  bool daemon_gone_ = false;
};

// Thread-safe.
class ServedClient final {
 public:
  // Has the daemon bring a kernel into its memory, if it can.
  using BringBack = std::function<absl::Status(const KernelKey& key)>;

  // The client of the session of `attach`. `bring_back` is asked for kernels
  // that are not in the daemon's memory; null: nobody is.
  //
  // ResourceExhausted: no memory.
  static absl::StatusOr<std::unique_ptr<ServedClient>> Create(
      std::shared_ptr<AttachClient> attach, BringBack bring_back);

  // As AttachClient's, and FailedPrecondition in a forked child. A kernel must
  // not be unloaded while a launch of it is outstanding.
  absl::StatusOr<uint32_t> LoadKernel(const KernelKey& key);
  absl::Status UnloadKernel(uint32_t id);
  absl::StatusOr<std::unique_ptr<ServedBuffer>> AllocateBuffer(
      uint64_t size_bytes);
  absl::StatusOr<std::unique_ptr<ServedRing>> OpenRing(uint32_t slot_count);

 private:
  ServedClient(std::shared_ptr<const ServedConnection> connection,
               BringBack bring_back)
      : connection_(std::move(connection)),
        bring_back_(std::move(bring_back)) {}

  const std::shared_ptr<const ServedConnection> connection_;
  const BringBack bring_back_;
};

// What a completion says, as a status.
//
// Aborted: a device assert failed, or the executor crashed or was killed.
// DeadlineExceeded: the launch ran longer than it may.
// InvalidArgument, NotFound, OutOfRange: the launch makes no sense.
// ResourceExhausted: no memory.
// Unavailable: the daemon is gone.
absl::Status StatusOf(const quern_ring_completion& completion);

}  // namespace quern

#endif  // QUERN_CLIENT_RUNTIME_SERVED_CLIENT_H_
