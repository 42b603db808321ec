// Messages on a stream socket, each after its length as a 32-bit little-endian
// number: the blocking side, for the compile child.
#ifndef QUERN_SERVER_WORKERS_STREAM_MESSAGE_H_
#define QUERN_SERVER_WORKERS_STREAM_MESSAGE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace quern {

// Bytes of the length before each message.
inline constexpr size_t kLengthPrefixBytes = 4;

// `message` with its length before it; it is shorter than 4 GiB.
std::string WithLength(std::string_view message);

// The length at the front of `bytes`, which holds at least that.
uint32_t LengthAt(std::string_view bytes);

// Writes one message. Makes no system call but write.
//
// Unavailable: the peer is gone.
absl::Status WriteMessage(int fd, std::string_view message);

// Reads one message of at most `size_bytes_max`. Makes no system call but
// read.
//
// OutOfRange: the peer has closed.
// InvalidArgument: the message is longer than the limit.
absl::StatusOr<std::string> ReadMessage(int fd, size_t size_bytes_max);

}  // namespace quern

#endif  // QUERN_SERVER_WORKERS_STREAM_MESSAGE_H_
