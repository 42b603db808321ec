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

  // The kernel directory, mapped read-only. Valid while this object lives.
  const SharedRegion& directory() const { return directory_; }
  uint64_t incarnation() const { return incarnation_; }
  // For the RPC metadata `quern-session`: 32 hexadecimal digits.
  const std::string& session() const { return session_; }

  // Maps the slab `id` read+exec.
  //
  // NotFound: the daemon holds no such slab any more.
  // Unavailable: the daemon is gone.
  // DeadlineExceeded, DataLoss: as for Connect.
  absl::StatusOr<SharedRegion> GetSlab(uint32_t id);

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
  absl::StatusOr<Answer> Ask(uint32_t type, uint64_t argument)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Answer> Receive(int flags)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
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
