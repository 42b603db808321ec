// An executor: runs the launches of one session, as the daemon tells it.
//
// Everything that runs in it is not trusted by the daemon; executor_main.cc
// confines it first.
#ifndef QUERN_SERVER_EXECUTOR_EXECUTOR_H_
#define QUERN_SERVER_EXECUTOR_EXECUTOR_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "client/runtime/launcher.h"
#include "proto/wire/unique_fd.h"
#include "server/executor/control_messages.h"
#include "server/executor/launch_runner.h"
#include "server/executor/ring_threads.h"
#include "server/executor/session_memory.h"

namespace quern {

// Not thread-safe.
class Executor final {
 public:
  // Starts every thread that it will ever have: `rings_max` for rings, and
  // those that help them, so that with the ring's own `thread_count` threads
  // share a launch.
  Executor(uint32_t rings_max, uint32_t thread_count);

  // Does what `command` says with the descriptor that came with it.
  //
  // InvalidArgument: not a command, or one that makes no sense.
  // Others: what mapping and loading give.
  absl::Status Apply(const ExecutorCommand& command, const UniqueFd& fd);

 private:
  absl::Status OpenRing(const ExecutorCommand& command, const UniqueFd& fd);

  // The rings' threads use what comes before them.
  SessionMemory memory_;
  Launcher launcher_;
  LaunchRunner runner_;
  std::unique_ptr<RingThreads> rings_;
};

// Receives commands on `control` and answers them, until the daemon closes it.
//
// OutOfRange: the daemon has closed it, which is the normal end.
// Others: the socket is broken.
absl::Status ServeCommands(int control, Executor& executor);

}  // namespace quern

#endif  // QUERN_SERVER_EXECUTOR_EXECUTOR_H_
