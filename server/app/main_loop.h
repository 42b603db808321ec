// What the daemon's main thread does: it waits for a signal to end, or for
// idleness, and tells the service manager how the daemon is.
#ifndef QUERN_SERVER_APP_MAIN_LOOP_H_
#define QUERN_SERVER_APP_MAIN_LOOP_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/unique_fd.h"
#include "server/app/daemon.h"
#include "server/app/service_manager.h"
#include "server/core/clock.h"

namespace quern {

// Blocks SIGTERM and SIGINT in this thread, and in those that it starts, and
// returns a descriptor that is readable when one has come. SIGPIPE is ignored.
absl::StatusOr<UniqueFd> WatchSignals();

// Returns why the daemon should end: a signal has come on `signals`, nobody has
// used it for `idle_timeout`, or nobody can reach it any more, as `reachable`
// says. That alone ends one that ends by itself anyway: where `idle_timeout` is
// infinite, `reachable` is not asked.
//
// Meanwhile, at the manager's interval, it looks whether every loop of the
// daemon turns, and tells the manager that the daemon is alive only if so.
std::string WaitForEnd(int signals, Daemon& daemon, absl::Duration idle_timeout,
                       const std::function<bool()>& reachable, Clock& clock,
                       ServiceManager& manager);

}  // namespace quern

#endif  // QUERN_SERVER_APP_MAIN_LOOP_H_
