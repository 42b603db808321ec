// quern.v1.LaunchService over the core.
#ifndef QUERN_SERVER_RPC_LAUNCH_SERVICE_RPC_H_
#define QUERN_SERVER_RPC_LAUNCH_SERVICE_RPC_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <cstdint>
#include <memory>

#include "server/core/inline_launcher.h"
#include "server/core/kernel_service.h"
#include "server/rpc/peers.h"

namespace quern {

// The references must outlive the result. `size_bytes_max` bounds the tensors
// of one launch.
std::unique_ptr<grpc::Service> NewLaunchServiceRpc(KernelService& kernels,
                                                   InlineLauncher& launcher,
                                                   Peers& peers,
                                                   uint64_t size_bytes_max);

}  // namespace quern

#endif  // QUERN_SERVER_RPC_LAUNCH_SERVICE_RPC_H_
