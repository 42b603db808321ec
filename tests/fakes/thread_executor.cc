// A thread at the other end of the control socket.
#include "tests/fakes/thread_executor.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "proto/wire/packet.h"
#include "proto/wire/unique_fd.h"
#include "server/executor/executor.h"

namespace quern {
namespace {

constexpr uint32_t kThreads = 2;

class ThreadExecutor final : public ExecutorProcess {
 public:
  ThreadExecutor(UniqueFd ours, UniqueFd theirs, uint32_t rings_max)
      : control_(std::move(ours)),
        theirs_(std::move(theirs)),
        ended_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        thread_([this, rings_max] { Run(rings_max); }) {}

  ~ThreadExecutor() override {
    Kill();
    thread_.join();
  }

  int control_fd() const override { return control_.get(); }
  int process_fd() const override { return ended_fd_.get(); }

  absl::Status Send(const ExecutorCommand& command, int fd) override {
    return SendPacket(control_.get(), MessageBytes(command), fd);
  }

  absl::StatusOr<std::optional<ExecutorAnswer>> Receive() override {
    return ReceiveAnswer(control_.get());
  }

  void Kill() override { ::shutdown(theirs_.get(), SHUT_RDWR); }

  std::optional<Outcome> Reap() override {
    if (!ended_.load(std::memory_order_acquire)) return std::nullopt;
    return Outcome::kKilled;
  }

 private:
  void Run(uint32_t rings_max) {
    {
      Executor executor(rings_max, kThreads);
      if (SendPacket(theirs_.get(), MessageBytes(ExecutorAnswer{})).ok()) {
        ServeCommands(theirs_.get(), executor).IgnoreError();
      }
    }
    ended_.store(true, std::memory_order_release);
    ::eventfd_write(ended_fd_.get(), 1);
  }

  const UniqueFd control_;
  const UniqueFd theirs_;
  const UniqueFd ended_fd_;
  std::atomic<bool> ended_ = false;
  std::thread thread_;
};

class ThreadExecutorStarter final : public ExecutorStarter {
 public:
  absl::StatusOr<std::unique_ptr<ExecutorProcess>> Start(
      const ExecutorSetup& setup) override {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0 ||
        ::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
      return absl::ResourceExhaustedError("socketpair");
    }
    return std::make_unique<ThreadExecutor>(UniqueFd(ends[0]),
                                            UniqueFd(ends[1]), setup.rings_max);
  }
};

}  // namespace

std::unique_ptr<ExecutorStarter> NewThreadExecutorStarter() {
  return std::make_unique<ThreadExecutorStarter>();
}

}  // namespace quern
