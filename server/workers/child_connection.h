// The daemon's end of a compile child's socket: messages in both directions
// without ever blocking, and without believing what comes.
#ifndef QUERN_SERVER_WORKERS_CHILD_CONNECTION_H_
#define QUERN_SERVER_WORKERS_CHILD_CONNECTION_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/wire/unique_fd.h"

namespace quern {

// Not thread-safe.
class ChildConnection final {
 public:
  // `socket` is non-blocking. Messages longer than `message_size_bytes_max`
  // are not received.
  ChildConnection(UniqueFd socket, size_t message_size_bytes_max)
      : socket_(std::move(socket)),
        message_size_bytes_max_(message_size_bytes_max) {}

  int fd() const { return socket_.get(); }

  // Queues one message; Flush writes it.
  void Send(std::string_view message);

  // Whether queued bytes wait for room in the socket.
  bool wants_write() const { return written_ < outgoing_.size(); }

  // Writes what fits.
  //
  // Unavailable: the child is gone.
  absl::Status Flush();

  // Returns the next message; none if it is not complete yet.
  //
  // OutOfRange: the child has closed.
  // InvalidArgument: the message is too long.
  absl::StatusOr<std::optional<std::string>> Receive();

  // Whether the child is known to have closed its end before it had read all
  // that was sent. Known once Receive has said that it closed.
  bool closed_unread() const { return closed_unread_; }

 private:
  UniqueFd socket_;
  size_t message_size_bytes_max_;
  std::string outgoing_;
  size_t written_ = 0;
  std::string incoming_;
  bool closed_unread_ = false;
};

}  // namespace quern

#endif  // QUERN_SERVER_WORKERS_CHILD_CONNECTION_H_
