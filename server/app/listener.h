// Listening Unix sockets with a path, made so that two daemons never share one.
#ifndef QUERN_SERVER_APP_LISTENER_H_
#define QUERN_SERVER_APP_LISTENER_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "proto/wire/unique_fd.h"

namespace quern {

// A lock on a socket's path, held while it lives; the kernel lets go of it
// when the process ends, however it ends.
class PathLock final {
 public:
  // Locks the file `path`.lock, made if it is missing.
  //
  // AlreadyExists: another process holds it.
  // NotFound, PermissionDenied: the folder is missing, or not writable.
  static absl::StatusOr<PathLock> Take(const std::string& path);

 private:
  explicit PathLock(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

// A socket that listens at a path. The path goes with it.
class Listener final {
 public:
  // Binds a socket of `type` (SOCK_STREAM or SOCK_SEQPACKET) to `path` with
  // the permission bits `mode`, and listens. The caller holds the path's lock:
  // a socket that a dead process left there is replaced.
  //
  // FailedPrecondition: something lies there that is not a socket.
  // NotFound, PermissionDenied: the folder is missing, or not writable.
  static absl::StatusOr<Listener> Open(const std::string& path, int type,
                                       uint32_t mode);

  Listener(Listener&&) = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  // The socket, which is non-blocking, for who accepts on it.
  UniqueFd TakeSocket() { return std::move(socket_); }

 private:
  Listener(std::string path, UniqueFd socket)
      : path_(std::move(path)), socket_(std::move(socket)) {}

  std::string path_;  // Empty: moved from.
  UniqueFd socket_;
};

}  // namespace quern

#endif  // QUERN_SERVER_APP_LISTENER_H_
