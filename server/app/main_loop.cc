// Waiting for the end, and reporting meanwhile.
#include "server/app/main_loop.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "proto/wire/status.h"

namespace quern {
namespace {

// How often idleness is looked at, when it matters at all.
constexpr absl::Duration kIdleCheckMax = absl::Seconds(1);

int PollTimeout(absl::Duration idle_timeout, absl::Duration report_interval) {
  const absl::Duration idle_check =
      idle_timeout == absl::InfiniteDuration()
          ? idle_timeout
          : std::min(idle_timeout / 4, kIdleCheckMax);
  const absl::Duration wait = std::min(idle_check, report_interval);
  if (wait == absl::InfiniteDuration()) return -1;
  return static_cast<int>(
      absl::ToInt64Milliseconds(std::max(wait, absl::Milliseconds(1))));
}

// Tells the manager how the daemon is, once an interval.
class Reporter final {
 public:
  Reporter(Daemon& daemon, ServiceManager& manager)
      : daemon_(daemon), manager_(manager) {}

  void Report(absl::Time now) {
    // A clock that was set back must not keep the manager waiting.
    if (now >= last_ && now - last_ < manager_.report_interval()) return;
    last_ = now;
    manager_.Status(daemon_.Summary());
    if (daemon_.Responds()) manager_.Alive();
  }

 private:
  Daemon& daemon_;
  ServiceManager& manager_;
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace

absl::StatusOr<UniqueFd> WatchSignals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (::pthread_sigmask(SIG_BLOCK, &signals, nullptr) != 0) {
    return absl::InternalError("the signals cannot be blocked");
  }
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (!fd.valid()) return ErrnoStatus(errno, "signalfd");
  return fd;
}

std::string WaitForEnd(int signals, Daemon& daemon, absl::Duration idle_timeout,
                       const std::function<bool()>& reachable, Clock& clock,
                       ServiceManager& manager) {
  const bool ends_by_itself = idle_timeout != absl::InfiniteDuration();
  pollfd wait{.fd = signals, .events = POLLIN, .revents = 0};
  uint64_t activity = daemon.activity();
  absl::Time used_at = clock.Now();
  const int timeout = PollTimeout(idle_timeout, manager.report_interval());
  Reporter reporter(daemon, manager);
  while (true) {
    const absl::Time now = clock.Now();
    reporter.Report(now);
    const uint64_t current = daemon.activity();
    if (daemon.attached() || current != activity) used_at = now;
    activity = current;
    if (now - used_at >= idle_timeout) return "idleness";
    // Clients start another one, which needs the locks of this one's paths.
    if (ends_by_itself && !reachable()) return "the removal of its sockets";
    if (::poll(&wait, 1, timeout) > 0) return "a signal";
  }
}

}  // namespace quern
