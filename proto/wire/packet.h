// Packets over SOCK_SEQPACKET sockets, each with at most one descriptor.
#ifndef QUERN_PROTO_WIRE_PACKET_H_
#define QUERN_PROTO_WIRE_PACKET_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/wire/unique_fd.h"

namespace quern {

struct Packet {
  std::string bytes;
  UniqueFd fd;  // Invalid: the packet carried none.
};

// Sends `bytes` as one packet and, unless it is negative, a copy of the
// descriptor `fd`. Blocks only if the socket does. Never raises SIGPIPE.
//
// Unavailable: the peer is gone, or a non-blocking socket is full.
absl::Status SendPacket(int socket, std::string_view bytes, int fd = -1);

// Receives one packet of at most `size_bytes_max`; its descriptor is closed on
// exec. Blocks only if the socket does.
//
// OutOfRange: the peer has closed; nothing more will come.
// InvalidArgument: the packet was larger, or carried more descriptors.
// Unavailable: a non-blocking socket is empty, or the connection was reset.
absl::StatusOr<Packet> ReceivePacket(int socket, size_t size_bytes_max);

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_PACKET_H_
