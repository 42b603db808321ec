// Listening Unix sockets with a path, made so that two daemons never share one.
#ifndef QUERN_SERVER_APP_LISTENER_H_
#define QUERN_SERVER_APP_LISTENER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

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

// A socket that listens at a path. The path goes with it, if it still leads to
// this socket.
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

  // Whether the path still leads to this socket, as far as can be seen:
  // somebody may have cleaned up.
  bool InPlace() const;

  // The socket, which is non-blocking, for who accepts on it.
  UniqueFd TakeSocket() { return std::move(socket_); }

 private:
  // The device and the inode of a file.
  using FileId = std::pair<uint64_t, uint64_t>;

  Listener(std::string path, UniqueFd socket)
      : path_(std::move(path)),
        file_(FileAt(path_)),
        socket_(std::move(socket)) {}

  static std::optional<FileId> FileAt(const std::string& path);

  std::string path_;  // Empty: moved from.
  std::optional<FileId> file_;
  UniqueFd socket_;
};

}  // namespace quern

#endif  // QUERN_SERVER_APP_LISTENER_H_
