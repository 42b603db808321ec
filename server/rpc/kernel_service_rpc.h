// quern.v1.KernelService over the core.
#ifndef QUERN_SERVER_RPC_KERNEL_SERVICE_RPC_H_
#define QUERN_SERVER_RPC_KERNEL_SERVICE_RPC_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <memory>

#include "server/core/kernel_service.h"
#include "server/rpc/conversions.h"
#include "server/rpc/peers.h"

namespace quern {

// `kernels` and `peers` must outlive the result.
std::unique_ptr<grpc::Service> NewKernelServiceRpc(KernelService& kernels,
                                                   Peers& peers,
                                                   const RequestLimits& limits,
                                                   uint64_t incarnation);

}  // namespace quern

#endif  // QUERN_SERVER_RPC_KERNEL_SERVICE_RPC_H_
