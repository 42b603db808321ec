// The gRPC server on a listening Unix socket that the daemon accepts on itself,
// so that every connection has a known user.
#ifndef QUERN_SERVER_RPC_RPC_SERVER_H_
#define QUERN_SERVER_RPC_RPC_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/unique_fd.h"
#include "server/core/access.h"
#include "server/core/logger.h"
#include "server/rpc/health.h"
#include "server/rpc/peers.h"

namespace quern {

struct RpcServerOptions {
  AccessList access;
  uint64_t message_size_bytes_max = uint64_t{32} << 20;
};

// Thread-safe.
class RpcServer {
 public:
  virtual ~RpcServer() = default;

  // Takes no connection and no call any more, and returns when the calls that
  // run have ended; at the latest after `timeout`, when it cancels them.
  virtual void Drain(absl::Duration timeout) = 0;

  // Calls that have begun since the start.
  virtual uint64_t call_count() = 0;

  // Whether the thread that accepts has turned since the last call of this;
  // also makes it turn. For one watcher. The first call is true.
  virtual bool Responds() = 0;
};

// What the server serves, and what it needs. All must outlive it.
struct RpcServerParts {
  std::vector<grpc::Service*> services;
  Peers& peers;
  Health& health;
  Logger& logger;
};

// Serves the services, reflection, health and channelz on `listener`, a
// listening stream socket.
//
// Internal: gRPC does not start.
// ResourceExhausted: no descriptors.
absl::StatusOr<std::unique_ptr<RpcServer>> StartRpcServer(
    const RpcServerOptions& options, const RpcServerParts& parts,
    UniqueFd listener);

}  // namespace quern

#endif  // QUERN_SERVER_RPC_RPC_SERVER_H_
