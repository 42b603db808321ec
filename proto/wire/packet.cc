// Packets with descriptors, by sendmsg and recvmsg.
#include "proto/wire/packet.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "proto/wire/status.h"

namespace quern {
namespace {

// Room for one descriptor. A peer that sends more has them closed by the
// kernel, and the packet marked as cut.
union ControlBuffer {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int))];
};

UniqueFd TakeDescriptor(msghdr& message) {
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET ||
      header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof(int))) {
    return UniqueFd();
  }
  int fd;
  std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
  return UniqueFd(fd);
}

}  // namespace

absl::Status SendPacket(int socket, std::string_view bytes, int fd) {
  iovec part{.iov_base = const_cast<char*>(bytes.data()),
             .iov_len = bytes.size()};
  ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  }
  ssize_t sent;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? ErrnoStatus(errno, "sendmsg") : absl::OkStatus();
}

absl::StatusOr<Packet> ReceivePacket(int socket, size_t size_bytes_max) {
  Packet packet;
  packet.bytes.resize(size_bytes_max);
  iovec part{.iov_base = packet.bytes.data(), .iov_len = packet.bytes.size()};
  ControlBuffer control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof(control);
  ssize_t received;
  do {
    received = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return ErrnoStatus(errno, "recvmsg");
  packet.fd = TakeDescriptor(message);
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return absl::InvalidArgumentError(
        "the packet is larger, or carries more descriptors, than it may");
  }
  if (received == 0) return absl::OutOfRangeError("the peer has closed");
  packet.bytes.resize(static_cast<size_t>(received));
  return packet;
}

}  // namespace quern
