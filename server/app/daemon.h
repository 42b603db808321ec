// The daemon, put together: every object, and who uses whom.
#ifndef QUERN_SERVER_APP_DAEMON_H_
#define QUERN_SERVER_APP_DAEMON_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/unique_fd.h"
#include "server/app/config.h"
#include "server/core/clock.h"
#include "server/core/logger.h"

namespace quern {

// Thread-safe.
class Daemon {
 public:
  virtual ~Daemon() = default;

  // Refuses new work, lets running calls end for at most `timeout`, and then
  // takes no more.
  virtual void Drain(absl::Duration timeout) = 0;

  // A number that changes with every call and session; and whether a session
  // is attached. By them the owner knows whether the daemon is used.
  virtual uint64_t activity() = 0;
  virtual bool attached() = 0;

  // Whether every loop of the daemon has turned since the last call of this.
  // For one watcher. The first call is true.
  virtual bool Responds() = 0;

  // One line that says what it holds and does. It takes every lock that work
  // takes: a daemon that is stuck never answers.
  virtual std::string Summary() = 0;
};

// Starts a daemon that serves the listening sockets `rpc` and `attach`. `clock`
// and `logger` must outlive it.
//
// ResourceExhausted: no descriptors, memory or threads.
// Internal: gRPC does not start.
absl::StatusOr<std::unique_ptr<Daemon>> StartDaemon(const Config& config,
                                                    UniqueFd rpc,
                                                    UniqueFd attach,
                                                    Clock& clock,
                                                    Logger& logger);

}  // namespace quern

#endif  // QUERN_SERVER_APP_DAEMON_H_
