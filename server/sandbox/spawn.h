// Starting a program that the daemon talks to over one socket.
#ifndef QUERN_SERVER_SANDBOX_SPAWN_H_
#define QUERN_SERVER_SANDBOX_SPAWN_H_

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "proto/wire/unique_fd.h"

namespace quern {

// Where the program finds its end of the socket.
inline constexpr int kSpawnControlFd = 3;

struct SpawnedProgram {
  pid_t pid = 0;     // To be waited for.
  UniqueFd control;  // A SOCK_SEQPACKET socket, non-blocking.
};

// Starts the program at `path` in a process group of its own, with an empty
// environment, default signals, and no descriptor but its end of the control
// socket, /dev/null for input and output, and this process's standard error.
//
// NotFound: there is no such program. ResourceExhausted: no descriptors or
// processes.
absl::StatusOr<SpawnedProgram> SpawnProgram(const std::string& path);

}  // namespace quern

#endif  // QUERN_SERVER_SANDBOX_SPAWN_H_
