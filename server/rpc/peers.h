// Which user is behind each connection that was handed to gRPC, and which
// session behind a call; and until when its client waits.
#ifndef QUERN_SERVER_RPC_PEERS_H_
#define QUERN_SERVER_RPC_PEERS_H_

#include <grpcpp/server_context.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "server/core/clock.h"
#include "server/core/session.h"
#include "server/rpc/call_deadline.h"

namespace quern {

// A client has a few connections; this many for each session are let in.
inline constexpr size_t kConnectionsPerSession = 4;

// Thread-safe.
class Peers final {
 public:
  // At most `connections_max` are open at a time. `registry` and `clock` must
  // outlive the peers.
  Peers(SessionRegistry& registry, Clock& clock, size_t connections_max)
      : registry_(registry), clock_(clock), connections_max_(connections_max) {}

  // Enters the connected socket `fd` of `user_id`, which gRPC will own. False:
  // too many connections are open.
  bool Add(int fd, uint32_t user_id);

  // The session of a call: the attached one that its metadata names, if that
  // is one of the same user; else the one that the user's unattached calls
  // share.
  SessionId SessionOf(const grpc::ServerContextBase& context);

  // The deadline of a call, by the daemon's clock.
  absl::Time DeadlineOf(const grpc::ServerContextBase& context) {
    return DeadlineBy(clock_, context.deadline());
  }

 private:
  struct Connection {
    uint32_t user_id = 0;
    uint64_t inode = 0;  // Tells whether the number is still this socket's.
  };

  void DropClosed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  SessionRegistry& registry_;
  Clock& clock_;
  const size_t connections_max_;
  std::mutex mutex_;
  // By descriptor, which gRPC makes the name of the peer.
  std::map<int, Connection> connections_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace quern

#endif  // QUERN_SERVER_RPC_PEERS_H_
