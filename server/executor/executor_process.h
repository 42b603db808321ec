// The daemon's end of an executor.
#ifndef QUERN_SERVER_EXECUTOR_EXECUTOR_PROCESS_H_
#define QUERN_SERVER_EXECUTOR_EXECUTOR_PROCESS_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/executor/control_messages.h"
#include "server/sandbox/outcome.h"

namespace quern {

// The answer that has come on `control`, the daemon's end of a control socket;
// none if none has. The errors are those of ExecutorProcess::Receive.
absl::StatusOr<std::optional<ExecutorAnswer>> ReceiveAnswer(int control);

// A running executor. Not thread-safe; its end kills the process and reaps it.
class ExecutorProcess {
 public:
  virtual ~ExecutorProcess() = default;

  // Readable when an answer has come, or the executor is gone.
  virtual int control_fd() const = 0;
  // Readable when the process has ended; -1 where the kernel gives none.
  virtual int process_fd() const = 0;

  // Sends a command, with the descriptor `fd` unless it is negative.
  //
  // Unavailable: the executor is gone, or does not read.
  virtual absl::Status Send(const ExecutorCommand& command, int fd) = 0;

  // The next answer; none if none has come.
  //
  // OutOfRange: the executor is gone.
  // InvalidArgument: it answered what makes no sense.
  virtual absl::StatusOr<std::optional<ExecutorAnswer>> Receive() = 0;

  // Ends the process by force. Does not wait.
  virtual void Kill() = 0;

  // How the process ended, if it has; it is then reaped. Does not wait.
  virtual std::optional<Outcome> Reap() = 0;
};

// Starts executors. A parameter, because it creates processes.
class ExecutorStarter {
 public:
  virtual ~ExecutorStarter() = default;

  // Starts one. It answers the setup as it answers commands.
  //
  // NotFound: there is no such program. ResourceExhausted: no descriptors or
  // processes.
  virtual absl::StatusOr<std::unique_ptr<ExecutorProcess>> Start(
      const ExecutorSetup& setup) = 0;
};

// Starts the program at `path`.
std::unique_ptr<ExecutorStarter> NewExecutorStarter(std::string path);

}  // namespace quern

#endif  // QUERN_SERVER_EXECUTOR_EXECUTOR_PROCESS_H_
