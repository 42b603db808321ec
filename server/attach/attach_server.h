// The attach socket: gives client processes the descriptors of directory and
// slabs, and knows which of them are there. The protocol is
// proto/wire/attach_protocol.h.
//
// A session is a connection. It ends with it, with its process, when the
// client breaks the protocol or floods it, or when it does not read its
// answers.
#ifndef QUERN_SERVER_ATTACH_ATTACH_SERVER_H_
#define QUERN_SERVER_ATTACH_ATTACH_SERVER_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cache/kernel_directory.h"
#include "proto/wire/unique_fd.h"
#include "server/attach/served_session.h"
#include "server/core/access.h"
#include "server/core/clock.h"
#include "server/core/logger.h"
#include "server/core/session.h"

namespace quern {

struct AttachServerOptions {
  AccessList access;
  uint32_t sessions_max = 256;
  // A connection that has not said HELLO by then is closed.
  absl::Duration hello_timeout = absl::Seconds(5);
  // A session may send so many requests at once, and as many a second after.
  uint32_t requests_burst_max = 1024;
  uint32_t requests_per_second_max = 256;
};

// Thread-safe.
class AttachServer : public SessionRegistry {
 public:
  // Tells every session that `slab` is retired. Returns at once.
  virtual void NotifyRetired(uint32_t slab) = 0;

  // Whether its thread has turned since the last call of this; also makes it
  // turn. For one watcher. The first call is true.
  virtual bool Responds() = 0;

  // A connection from this process itself, as one to the listening socket:
  // how the daemon is a client of its own rings.
  //
  // ResourceExhausted: no descriptors.
  virtual absl::StatusOr<UniqueFd> Connect() = 0;

  // Executors of all sessions, and how they ended.
  virtual const ServedCounters& served() = 0;
};

// What the server hands out, and what it needs. The references must outlive
// the server.
struct AttachServerParts {
  KernelDirectory& directory;
  Clock& clock;
  Logger& logger;
  // Makes tokens that nobody can guess.
  std::function<SessionToken()> make_token;
  // The slabs, and what served launches need.
  ServedParts served;
};

// Starts serving `listener`, a listening SOCK_SEQPACKET socket, on a thread of
// its own. The end of the result closes all sessions.
//
// ResourceExhausted: no descriptors.
absl::StatusOr<std::unique_ptr<AttachServer>> StartAttachServer(
    const AttachServerOptions& options, const AttachServerParts& parts,
    UniqueFd listener);

}  // namespace quern

#endif  // QUERN_SERVER_ATTACH_ATTACH_SERVER_H_
