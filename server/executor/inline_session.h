// One session's executor as the daemon uses it for inline launches: over an
// attached connection, a ring and a buffer, as any client.
#ifndef QUERN_SERVER_EXECUTOR_INLINE_SESSION_H_
#define QUERN_SERVER_EXECUTOR_INLINE_SESSION_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/runtime/served_client.h"
#include "proto/wire/unique_fd.h"
#include "server/core/clock.h"
#include "server/core/inline_launcher.h"

namespace quern {

// Not thread-safe, but for what `cancelled` points to.
class InlineSession final {
 public:
  // Says HELLO over `socket`, a connection to the attach server, and opens a
  // ring, which starts an executor. Errors: AttachClient's.
  static absl::StatusOr<std::unique_ptr<InlineSession>> Open(UniqueFd socket);

  ~InlineSession();

  // Runs `launch` until `deadline` by `clock`, or until `*cancelled`. After any
  // error but NotFound and InvalidArgument the session is not usable any more.
  absl::StatusOr<InlineResult> Run(const InlineLaunch& launch,
                                   absl::Time deadline, Clock& clock,
                                   const std::atomic<bool>& cancelled);

  // Whether another launch may be tried: the executor lives, and is not busy
  // with one that was given up.
  bool Usable();

 private:
  InlineSession(UniqueFd socket, std::unique_ptr<ServedClient> client,
                std::unique_ptr<ServedRing> ring)
      : socket_(std::move(socket)),
        client_(std::move(client)),
        ring_(std::move(ring)) {}

  absl::StatusOr<uint32_t> Kernel(const KernelKey& key);
  absl::Status MakeRoom(uint64_t size_bytes);
  // Copies the tensors into the buffer; returns the launch's arguments.
  std::vector<uint64_t> Place(const InlineLaunch& launch);
  absl::StatusOr<absl::Duration> Await(absl::Time deadline, Clock& clock,
                                       const std::atomic<bool>& cancelled);

  const UniqueFd socket_;  // The client's, to hang up by.
  const std::unique_ptr<ServedClient> client_;
  const std::unique_ptr<ServedRing> ring_;
  std::unique_ptr<ServedBuffer> buffer_;
  std::map<KernelKey, uint32_t> kernels_;
  bool broken_ = false;
};

}  // namespace quern

#endif  // QUERN_SERVER_EXECUTOR_INLINE_SESSION_H_
