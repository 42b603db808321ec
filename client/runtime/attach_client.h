// The client's end of the attach socket (proto/wire/ATTACH.md).
//
// Thread-safe: one request is under way at a time, the others wait.
#ifndef QUERN_CLIENT_RUNTIME_ATTACH_CLIENT_H_
#define QUERN_CLIENT_RUNTIME_ATTACH_CLIENT_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/attach_protocol.h"
#include "proto/wire/kernel_key.h"
#include "proto/wire/shared_region.h"
#include "proto/wire/unique_fd.h"

namespace quern {

class AttachClient final {
 public:
  // Connects to the socket at `path` and says HELLO. Every later answer of the
  // daemon is waited for at most `timeout`.
  //
  // NotFound, Unavailable: nobody listens there.
  // PermissionDenied: the daemon does not want this user.
  // FailedPrecondition: another protocol version.
  // DeadlineExceeded: no answer in time.
  // DataLoss: the answer is not of the protocol.
  static absl::StatusOr<std::unique_ptr<AttachClient>> Connect(
      const std::string& path, absl::Duration timeout);

  // As Connect, over a connection that was made already.
  static absl::StatusOr<std::unique_ptr<AttachClient>> FromSocket(
      UniqueFd socket, absl::Duration timeout);

  // The kernel directory, mapped read-only. Valid while this object lives.
  const SharedRegion& directory() const { return directory_; }
  uint64_t incarnation() const { return incarnation_; }
  // For the RPC metadata `quern-session`: 32 hexadecimal digits.
  const std::string& session() const { return session_; }

  // Maps the slab `id` read+exec.
  //
  // NotFound: the daemon holds no such slab any more.
  // Unavailable: the daemon is gone.
  // DeadlineExceeded, DataLoss: as for Connect; the connection is closed then,
  // because an answer that comes later would be taken for the next one.
  absl::StatusOr<SharedRegion> GetSlab(uint32_t id);

  // Memory of the session's, by the id that the daemon gave it.
  struct Shared {
    uint32_t id = 0;
    SharedRegion region;
  };

  // Tells the session's executor of the kernel of `key`, and returns its id.
  //
  // NotFound: the daemon does not have the kernel. ResourceExhausted: the
  // session has as many as it may. Others: as for GetSlab.
  absl::StatusOr<uint32_t> LoadKernel(const KernelKey& key);
  // NotFound: it is not loaded.
  absl::Status UnloadKernel(uint32_t id);

  // Makes a buffer of `size_bytes` and maps it read-write.
  //
  // OutOfRange: a buffer has at least one byte. ResourceExhausted: the session
  // has as many, or as large ones, as it may.
  absl::StatusOr<Shared> AllocateBuffer(uint64_t size_bytes);
  absl::Status FreeBuffer(uint32_t id);

  // Makes a ring of `slot_count` slots, and starts an executor if none runs.
  //
  // OutOfRange: not a number of slots that a ring may have. ResourceExhausted:
  // the session has as many as it may. FailedPrecondition: the executor cannot
  // be confined on this machine. Aborted: the executor ended at once.
  absl::StatusOr<Shared> OpenRing(uint32_t slot_count);
  absl::Status CloseRing(uint32_t id);

  // Whether the daemon has closed the connection, without looking at what it
  // has sent before. Does not block, nor wait for another thread's request.
  bool PeerIsGone() const;

  // The slabs that were retired since the last call. Does not block.
  std::vector<uint32_t> TakeRetired();

  // Whether the daemon has closed the connection. Does not block.
  bool Closed();

 private:
  struct Answer {
    quern_attach_reply reply;
    UniqueFd fd;
  };

  AttachClient(UniqueFd socket, absl::Duration timeout)
      : socket_(std::move(socket)), timeout_(timeout) {}

  absl::Status Hello();
  absl::StatusOr<Answer> Ask(uint32_t type, uint64_t argument,
                             const KernelKey* key = nullptr)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Shared> AskShared(uint32_t type, uint64_t argument,
                                   uint32_t answer_type);
  absl::Status AskDone(uint32_t type, uint64_t argument);
  absl::StatusOr<Answer> AwaitAnswer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Answer> Receive(int flags)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Close() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DrainEvents() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::mutex mutex_;
  const UniqueFd socket_;
  const absl::Duration timeout_;
  SharedRegion directory_;
  uint64_t incarnation_ = 0;
  std::string session_;
  std::vector<uint32_t> retired_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace quern

#endif  // QUERN_CLIENT_RUNTIME_ATTACH_CLIENT_H_
