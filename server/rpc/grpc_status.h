// The one place that makes a grpc::Status.
#ifndef QUERN_SERVER_RPC_GRPC_STATUS_H_
#define QUERN_SERVER_RPC_GRPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace quern {

// Trailers are bounded, so a longer message is cut, never inside a character,
// and loses the white space around it, which HTTP/2 does not let pass.
inline constexpr size_t kGrpcMessageSizeMax = 1024;

grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace quern

#endif  // QUERN_SERVER_RPC_GRPC_STATUS_H_
