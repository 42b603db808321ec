// What an attached client has for served launches: buffers, kernels, rings,
// and the executor that serves the rings.
#ifndef QUERN_SERVER_ATTACH_SERVED_SESSION_H_
#define QUERN_SERVER_ATTACH_SERVED_SESSION_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cache/code_slabs.h"
#include "cache/kernel_info.h"
#include "proto/wire/attach_protocol.h"
#include "proto/wire/kernel_key.h"
#include "proto/wire/ring.h"
#include "proto/wire/unique_fd.h"
#include "server/attach/shared_slabs.h"
#include "server/core/clock.h"
#include "server/executor/executor_link.h"
#include "server/executor/executor_process.h"
#include "server/executor/slot_ids.h"

namespace quern {

struct ServedLimits {
  uint32_t rings_max = 4;
  uint32_t ring_slots_max = QUERN_RING_SLOTS_MAX;
  uint32_t buffers_max = 64;
  uint64_t buffers_size_bytes_max = uint64_t{4} << 30;
  uint32_t kernels_max = 1 << kKernelIndexBits;
  absl::Duration launch_timeout = absl::Seconds(10);
  absl::Duration answer_timeout = absl::Seconds(10);
};

// Of all sessions. Written by the attach server's thread.
struct ServedCounters {
  std::atomic<uint64_t> started = 0;
  std::atomic<uint64_t> running = 0;
  // Ends by cause, a quern_ring_state. One that ends with its session has none.
  std::array<std::atomic<uint64_t>, QUERN_RING_UNRESPONSIVE + 1> ended = {};
};

// What it needs of the daemon. The references outlive the session.
struct ServedParts {
  CodeSlabs& slabs;
  // The kernel of a key, if the daemon has it.
  std::function<std::optional<KernelInfo>(const KernelKey& key)> find_kernel;
  ExecutorStarter& starter;
  ExecutorSetup setup;
  Clock& clock;
  ServedLimits limits;
  ServedCounters& counters;
  // An executor ended before its session, with a quern_ring_state.
  std::function<void(uint32_t state)> on_executor_end = [](uint32_t) {};
  // Of `slabs`, for all sessions.
  std::shared_ptr<SharedSlabs> open_slabs =
      std::make_shared<SharedSlabs>(slabs);
};

// An answer to the client: a value and a size for the reply of `type`, and the
// descriptor that goes with it.
struct ServedReply {
  quern_attach_type type = QUERN_ATTACH_DONE;
  uint64_t value = 0;
  uint64_t size_bytes = 0;
  UniqueFd fd;
};

// One request at a time; some are answered only when the executor has done its
// part. Not thread-safe.
class ServedSession final {
 public:
  // `on_started` is called with each executor that is started, so that its
  // descriptors are watched. `on_reply` is called with the answer to each
  // request, during it or later.
  using OnStarted = std::function<void(ExecutorProcess& process)>;
  using OnReply = std::function<void(absl::StatusOr<ServedReply> reply)>;

  ServedSession(const ServedParts& parts, OnStarted on_started,
                OnReply on_reply);
  ~ServedSession();

  // Whether a request waits for its answer.
  bool busy() const { return busy_; }

  // The requests (attach_protocol.h). Not while one waits for its answer.
  void LoadKernel(const KernelKey& key);
  void UnloadKernel(uint64_t id);
  void AllocateBuffer(uint64_t size_bytes);
  void FreeBuffer(uint64_t id);
  void OpenRing(uint64_t slot_count);
  void CloseRing(uint64_t id);

  // The executor's control socket is readable; its process may have ended;
  // time has passed.
  void OnControl();
  void OnProcess();
  void Tick();

  // How long until Tick has something to look at; none: it has nothing.
  std::optional<absl::Duration> TickInterval() const;

  // Ends the session's executor by force, if it has one, and gives it to who
  // waits for its end.
  std::unique_ptr<ExecutorProcess> Release();

 private:
  struct Buffer {
    UniqueFd fd;
    uint64_t size_bytes = 0;
  };
  struct Kernel {
    KernelInfo info;
    std::shared_ptr<const SlabDescriptor> slab;
  };
  struct Ring {
    RingOwner owner;
    uint64_t progress = 0;
    absl::Time progress_at;

    // Whether a launch runs, as far as it is told.
    bool Runs() const { return owner.progress() % 2 != 0; }
  };

  void Reply(absl::StatusOr<ServedReply> reply);
  // Tells the executor, if there is one, and answers `reply` when it has
  // answered; an error of its is answered after `undo`.
  void Tell(const ExecutorCommand& command, int fd, ServedReply reply,
            std::function<void()> undo);
  absl::Status StartExecutor();
  absl::StatusOr<std::shared_ptr<const SlabDescriptor>> Slab(uint32_t slab);
  ExecutorCommand CommandFor(uint32_t id, const Kernel& kernel) const;
  static ExecutorCommand CommandFor(uint32_t id, const Buffer& buffer);
  void EndRings(uint32_t state);
  // Whether the launch that runs in the ring, if one does, has run for too
  // long.
  bool Overran(Ring& ring, absl::Time now) const;

  const ServedParts& parts_;
  const OnStarted on_started_;
  const OnReply on_reply_;
  SlotIds kernel_ids_;
  SlotIds buffer_ids_;
  std::map<uint32_t, Kernel> kernels_;
  std::map<uint32_t, Buffer> buffers_;
  uint64_t buffers_size_bytes_ = 0;
  std::map<uint32_t, Ring> rings_;
  uint32_t last_ring_ = 0;
  // Rings that the client closed, in which a launch may run yet.
  std::vector<Ring> closing_;
  std::unique_ptr<ExecutorLink> executor_;
  bool busy_ = false;
  // What to answer when the executor ends before it has answered.
  std::function<void(uint32_t state)> on_end_;
};

}  // namespace quern

#endif  // QUERN_SERVER_ATTACH_SERVED_SESSION_H_
