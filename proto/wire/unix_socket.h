// Connecting to Unix sockets.
#ifndef QUERN_PROTO_WIRE_UNIX_SOCKET_H_
#define QUERN_PROTO_WIRE_UNIX_SOCKET_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/unique_fd.h"

namespace quern {

// Lets every later send and receive of `socket` wait at most `timeout`, if that
// is finite.
void LimitWaits(int socket, absl::Duration timeout);

// Connects to the socket of `type` (SOCK_STREAM, SOCK_SEQPACKET) at `path`. If
// `timeout` is finite, connecting and every later send and receive wait at
// most that long. The result blocks and is closed on exec.
//
// InvalidArgument: the path is longer than an address holds (107 bytes).
// NotFound: there is nothing at the path.
// PermissionDenied: this user may not connect.
// Unavailable: nobody listens there, or not in time.
absl::StatusOr<UniqueFd> ConnectUnixSocket(
    const std::string& path, int type,
    absl::Duration timeout = absl::InfiniteDuration());

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_UNIX_SOCKET_H_
