// Blocking messages on a stream.
#include "server/workers/stream_message.h"

#include <unistd.h>

#include <cerrno>

#include "proto/wire/status.h"

namespace quern {
namespace {

absl::Status ReadFully(int fd, char* data, size_t size) {
  while (size > 0) {
    const ssize_t count = ::read(fd, data, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "read");
    if (count == 0) return absl::OutOfRangeError("the peer has closed");
    data += count;
    size -= static_cast<size_t>(count);
  }
  return absl::OkStatus();
}

}  // namespace

std::string WithLength(std::string_view message) {
  std::string framed;
  framed.reserve(kLengthPrefixBytes + message.size());
  for (int shift = 0; shift < 32; shift += 8) {
    framed.push_back(static_cast<char>(message.size() >> shift & 0xff));
  }
  framed.append(message);
  return framed;
}

uint32_t LengthAt(std::string_view bytes) {
  uint32_t length = 0;
  for (int i = 3; i >= 0; --i) {
    length = length << 8 | static_cast<uint8_t>(bytes[i]);
  }
  return length;
}

absl::Status WriteMessage(int fd, std::string_view message) {
  const std::string framed = WithLength(message);
  std::string_view rest = framed;
  while (!rest.empty()) {
    const ssize_t count = ::write(fd, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "write");
    rest.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadMessage(int fd, size_t size_bytes_max) {
  char prefix[kLengthPrefixBytes];
  QUERN_RETURN_IF_ERROR(ReadFully(fd, prefix, sizeof(prefix)));
  const uint32_t length = LengthAt({prefix, sizeof(prefix)});
  if (length > size_bytes_max) {
    return absl::InvalidArgumentError("the message is longer than it may be");
  }
  std::string message(length, '\0');
  QUERN_RETURN_IF_ERROR(ReadFully(fd, message.data(), message.size()));
  return message;
}

}  // namespace quern
