// Non-blocking messages on a child's socket.
#include "server/workers/child_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "proto/wire/status.h"
#include "server/workers/stream_message.h"

namespace quern {
namespace {

constexpr size_t kReadSize = 256 << 10;

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

void ChildConnection::Send(std::string_view message) {
  outgoing_.append(WithLength(message));
}

absl::Status ChildConnection::Flush() {
  while (wants_write()) {
    const ssize_t count =
        ::send(socket_.get(), outgoing_.data() + written_,
               outgoing_.size() - written_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && WouldBlock(errno)) return absl::OkStatus();
    if (count < 0) {
      closed_unread_ = true;
      return ErrnoStatus(errno, "send");
    }
    written_ += static_cast<size_t>(count);
  }
  outgoing_.clear();
  outgoing_.shrink_to_fit();
  written_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> ChildConnection::Receive() {
  while (true) {
    size_t wanted = kLengthPrefixBytes;
    if (incoming_.size() >= kLengthPrefixBytes) {
      const uint32_t length = LengthAt(incoming_);
      if (length > message_size_bytes_max_) {
        return absl::InvalidArgumentError("the child's message is too long");
      }
      wanted += length;
      if (incoming_.size() >= wanted) {
        std::string message =
            incoming_.substr(kLengthPrefixBytes, wanted - kLengthPrefixBytes);
        incoming_.erase(0, wanted);
        return message;
      }
    }
    // Grows with what has come, not with what was announced.
    const size_t held = incoming_.size();
    incoming_.resize(held + std::min(wanted - held, kReadSize));
    const ssize_t count = ::recv(socket_.get(), incoming_.data() + held,
                                 incoming_.size() - held, MSG_DONTWAIT);
    incoming_.resize(held + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && WouldBlock(errno)) return std::nullopt;
    if (count < 0 && errno != ECONNRESET) return ErrnoStatus(errno, "recv");
    // What a Unix socket says when bytes lay unread in the end that closed.
    if (count < 0) closed_unread_ = true;
    if (count <= 0) return absl::OutOfRangeError("the child has closed");
  }
}

}  // namespace quern
