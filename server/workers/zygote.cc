// The zygote's loop: fork, reap, report.
#include "server/workers/zygote.h"

#include <dirent.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/packet.h"
#include "proto/wire/status.h"
#include "proto/wire/unique_fd.h"
#include "quern/worker/v1/worker.pb.h"
#include "server/workers/compile_child.h"

namespace quern {
namespace {

constexpr size_t kCommandSizeMax = 4096;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// A fork copies one thread; locks that others hold would stay held forever.
absl::Status CheckOneThread() {
  const std::unique_ptr<DIR, CloseFolder> folder(::opendir("/proc/self/task"));
  if (folder == nullptr) return ErrnoStatus(errno, "open /proc/self/task");
  int threads = 0;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] != '.') ++threads;
  }
  if (threads != 1) {
    return absl::FailedPreconditionError(
        "the zygote has more than one thread and cannot fork");
  }
  return absl::OkStatus();
}

struct Child {
  uint64_t id = 0;
  pid_t pid = 0;
  UniqueFd pidfd;
};

class Zygote final {
 public:
  Zygote(int control, Compiler& compiler, const ZygoteOptions& options)
      : control_(control), compiler_(compiler) {
    child_options_.warm_up = options.warm_up;
  }

  absl::Status SayHello(const ZygoteOptions& options) {
    worker::v1::ZygoteEvent event;
    worker::v1::Hello& hello = *event.mutable_hello();
    hello.set_build_id(options.build_id.data(), options.build_id.size());
    hello.set_host_target(CanonicalBytes(options.host));
    for (std::string& layer : MissingSandboxLayers()) {
      hello.add_sandbox_missing(std::move(layer));
    }
    return Report(event);
  }

  // Waits for a command or the end of a child, and handles it.
  absl::Status Step() {
    std::vector<pollfd> waits = {
        {.fd = control_, .events = POLLIN, .revents = 0}};
    for (const Child& child : children_) {
      waits.push_back(
          {.fd = child.pidfd.get(), .events = POLLIN, .revents = 0});
    }
    if (::poll(waits.data(), waits.size(), -1) < 0) {
      return errno == EINTR ? absl::OkStatus() : ErrnoStatus(errno, "poll");
    }
    std::vector<Child> alive;
    for (size_t i = 0; i < children_.size(); ++i) {
      if (waits[i + 1].revents == 0) {
        alive.push_back(std::move(children_[i]));
      } else {
        QUERN_RETURN_IF_ERROR(Reap(children_[i]));
      }
    }
    children_ = std::move(alive);
    return waits[0].revents != 0 ? HandleCommand() : absl::OkStatus();
  }

 private:
  absl::Status Report(const worker::v1::ZygoteEvent& event, int fd = -1) {
    return SendPacket(control_, event.SerializeAsString(), fd);
  }

  absl::Status Reap(const Child& child) {
    int status = 0;
    if (::waitpid(child.pid, &status, 0) < 0) {
      return ErrnoStatus(errno, "waitpid");
    }
    worker::v1::ZygoteEvent event;
    event.mutable_exited()->set_id(child.id);
    event.mutable_exited()->set_wait_status(status);
    return Report(event);
  }

  absl::Status HandleCommand() {
    QUERN_ASSIGN_OR_RETURN(const Packet packet,
                           ReceivePacket(control_, kCommandSizeMax));
    worker::v1::ZygoteCommand command;
    if (!command.ParseFromString(packet.bytes)) {
      return absl::InvalidArgumentError("the daemon sent no command");
    }
    if (command.has_setup()) {
      Configure(command.setup());
      return absl::OkStatus();
    }
    if (command.has_fork() && packet.fd.valid()) {
      return Fork(command.fork().id(), packet.fd.get());
    }
    return absl::InvalidArgumentError("the daemon sent no command");
  }

  void Configure(const worker::v1::Setup& setup) {
    SandboxPolicy& policy = child_options_.policy;
    policy.added_memory_bytes_max = setup.memory_bytes_max();
    policy.cpu_time_max = absl::Seconds(setup.cpu_time_max().seconds()) +
                          absl::Nanoseconds(setup.cpu_time_max().nanos());
    policy.mode = setup.sandbox_required() ? SandboxMode::kRequired
                                           : SandboxMode::kBestEffort;
    child_options_.limits.nesting_max = setup.nesting_max();
  }

  absl::Status Fork(uint64_t id, int socket) {
    QUERN_RETURN_IF_ERROR(CheckOneThread());
    const pid_t self = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return ErrnoStatus(errno, "fork");
    if (pid == 0) {
      // Signals the child when this process ends; that may have been already.
      ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      if (::getppid() != self) ::_exit(0);
      RunCompileChild(socket, compiler_, child_options_);
    }
    Child child{
        .id = id,
        .pid = pid,
        .pidfd = UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))};
    if (!child.pidfd.valid()) return ErrnoStatus(errno, "pidfd_open");
    worker::v1::ZygoteEvent event;
    event.mutable_forked()->set_id(id);
    event.mutable_forked()->set_pid(pid);
    const int pidfd = child.pidfd.get();
    children_.push_back(std::move(child));
    return Report(event, pidfd);
  }

  const int control_;
  Compiler& compiler_;
  CompileChildOptions child_options_;
  std::vector<Child> children_;
};

}  // namespace

absl::Status RunZygote(int control, Compiler& compiler,
                       const ZygoteOptions& options) {
  Zygote zygote(control, compiler, options);
  QUERN_RETURN_IF_ERROR(CheckOneThread());
  QUERN_RETURN_IF_ERROR(zygote.SayHello(options));
  while (true) QUERN_RETURN_IF_ERROR(zygote.Step());
}

}  // namespace quern
