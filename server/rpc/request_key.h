// The key in a request, which is the first thing that may be wrong with it.
#ifndef QUERN_SERVER_RPC_REQUEST_KEY_H_
#define QUERN_SERVER_RPC_REQUEST_KEY_H_

#include <grpcpp/grpcpp.h>

#include <optional>
#include <string>

#include "proto/wire/kernel_key.h"
#include "server/rpc/grpc_status.h"

namespace quern {

// The key that `bytes` are. If they are none, `reactor` is finished with that.
inline std::optional<KernelKey> KeyOrFinish(const std::string& bytes,
                                            grpc::ServerUnaryReactor* reactor) {
  const absl::StatusOr<KernelKey> key = KernelKey::FromBytes(bytes);
  if (key.ok()) return *key;
  reactor->Finish(ToGrpcStatus(key.status()));
  return std::nullopt;
}

}  // namespace quern

#endif  // QUERN_SERVER_RPC_REQUEST_KEY_H_
