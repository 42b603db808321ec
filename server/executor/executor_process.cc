// Starting quern-executor, talking to it, and seeing it end.
#include "server/executor/executor_process.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "proto/wire/packet.h"
#include "proto/wire/status.h"
#include "proto/wire/unique_fd.h"
#include "server/sandbox/spawn.h"

namespace quern {
namespace {

class SpawnedExecutor final : public ExecutorProcess {
 public:
  explicit SpawnedExecutor(SpawnedProgram program)
      : pid_(program.pid),
        control_(std::move(program.control)),
        process_(static_cast<int>(::syscall(SYS_pidfd_open, program.pid, 0))) {}

  ~SpawnedExecutor() override {
    Kill();
    while (!outcome_ && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  int control_fd() const override { return control_.get(); }
  int process_fd() const override { return process_.get(); }

  absl::Status SetUp(const ExecutorSetup& setup) {
    return SendPacket(control_.get(), MessageBytes(setup));
  }

  absl::Status Send(const ExecutorCommand& command, int fd) override {
    return SendPacket(control_.get(), MessageBytes(command), fd);
  }

  absl::StatusOr<std::optional<ExecutorAnswer>> Receive() override {
    return ReceiveAnswer(control_.get());
  }

  // It has not been waited for, so the number is still its own.
  void Kill() override {
    if (!outcome_) ::kill(pid_, SIGKILL);
  }

  std::optional<Outcome> Reap() override {
    int status = 0;
    if (!outcome_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
      outcome_ = OutcomeOf(status);
    }
    return outcome_;
  }

 private:
  const pid_t pid_;
  const UniqueFd control_;
  const UniqueFd process_;
  std::optional<Outcome> outcome_;
};

class ProgramExecutorStarter final : public ExecutorStarter {
 public:
  explicit ProgramExecutorStarter(std::string path) : path_(std::move(path)) {}

  absl::StatusOr<std::unique_ptr<ExecutorProcess>> Start(
      const ExecutorSetup& setup) override {
    QUERN_ASSIGN_OR_RETURN(SpawnedProgram program, SpawnProgram(path_));
    auto executor = std::make_unique<SpawnedExecutor>(std::move(program));
    QUERN_RETURN_IF_ERROR(executor->SetUp(setup));
    return executor;
  }

 private:
  const std::string path_;
};

}  // namespace

absl::StatusOr<std::optional<ExecutorAnswer>> ReceiveAnswer(int control) {
  const absl::StatusOr<Packet> packet =
      ReceivePacket(control, sizeof(ExecutorAnswer));
  if (absl::IsUnavailable(packet.status())) {
    return std::optional<ExecutorAnswer>();
  }
  if (!packet.ok()) return packet.status();
  ExecutorAnswer answer;
  if (!MessageFromBytes(packet->bytes, answer) || packet->fd.valid()) {
    return absl::InvalidArgumentError("not an answer");
  }
  return answer;
}

std::unique_ptr<ExecutorStarter> NewExecutorStarter(std::string path) {
  return std::make_unique<ProgramExecutorStarter>(std::move(path));
}

}  // namespace quern
