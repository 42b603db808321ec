// Waiting for the end.
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

int PollTimeout(absl::Duration idle_timeout) {
  if (idle_timeout == absl::InfiniteDuration()) return -1;
  const absl::Duration wait =
      std::clamp(idle_timeout / 4, absl::Milliseconds(1), kIdleCheckMax);
  return static_cast<int>(absl::ToInt64Milliseconds(wait));
}

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
                       Clock& clock) {
  pollfd wait{.fd = signals, .events = POLLIN, .revents = 0};
  uint64_t activity = daemon.activity();
  absl::Time used_at = clock.Now();
  while (true) {
    if (::poll(&wait, 1, PollTimeout(idle_timeout)) > 0) return "a signal";
    const absl::Time now = clock.Now();
    const uint64_t current = daemon.activity();
    if (daemon.attached() || current != activity) used_at = now;
    activity = current;
    if (now - used_at >= idle_timeout) return "idleness";
  }
}

}  // namespace quern
