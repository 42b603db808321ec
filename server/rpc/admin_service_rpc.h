// quern.v1.AdminService over the core.
#ifndef QUERN_SERVER_RPC_ADMIN_SERVICE_RPC_H_
#define QUERN_SERVER_RPC_ADMIN_SERVICE_RPC_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <functional>
#include <memory>

#include "cache/code_cache.h"
#include "quern/v1/admin_service.pb.h"
#include "server/core/event_feed.h"
#include "server/core/kernel_service.h"
#include "server/rpc/peers.h"

namespace quern {

// Fills in what the daemon as a whole knows. Thread-safe.
using StatsFn = std::function<v1::GetStatsResponse()>;

// The references must outlive the result.
std::unique_ptr<grpc::Service> NewAdminServiceRpc(
    KernelService& kernels, CodeCache& cache, Peers& peers, StatsFn stats,
    EventFeed& events, uint64_t incarnation);

}  // namespace quern

#endif  // QUERN_SERVER_RPC_ADMIN_SERVICE_RPC_H_
