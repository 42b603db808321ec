// Addresses, time-outs and connect(2).
#include "proto/wire/unix_socket.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "proto/wire/status.h"

namespace quern {

void LimitWaits(int socket, absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) return;
  const timeval limit = absl::ToTimeval(timeout);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

absl::StatusOr<UniqueFd> ConnectUnixSocket(const std::string& path, int type,
                                           absl::Duration timeout) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError("the path of the socket is too long");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return ErrnoStatus(errno, "socket");
  LimitWaits(fd.get(), timeout);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                sizeof(address)) != 0) {
    return ErrnoStatus(errno, "connecting to the daemon's socket");
  }
  return fd;
}

}  // namespace quern
