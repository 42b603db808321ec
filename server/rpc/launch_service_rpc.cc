// Launch.
#include "server/rpc/launch_service_rpc.h"

#include <utility>

#include "proto/wire/kernel_key.h"
#include "proto/wire/status.h"
#include "quern/v1/launch_service.grpc.pb.h"
#include "server/rpc/grpc_status.h"
#include "server/rpc/launch_conversions.h"
#include "server/rpc/launch_reactor.h"

namespace quern {
namespace {

class LaunchServiceRpc final : public v1::LaunchService::CallbackService {
 public:
  LaunchServiceRpc(KernelService& kernels, InlineLauncher& launcher,
                   Peers& peers, uint64_t size_bytes_max)
      : kernels_(kernels),
        launcher_(launcher),
        peers_(peers),
        size_bytes_max_(size_bytes_max) {}

  grpc::ServerUnaryReactor* Launch(grpc::CallbackServerContext* context,
                                   const v1::LaunchRequest* request,
                                   v1::LaunchResponse* response) override {
    const uint64_t call = kernels_.NewCall();
    auto* reactor = new LaunchReactor(launcher_, call);
    absl::StatusOr<InlineLaunch> launch = Prepare(*request);
    if (!launch.ok()) {
      reactor->Finish(ToGrpcStatus(launch.status()));
      return reactor;
    }
    launcher_.Launch(call, peers_.SessionOf(*context),
                     peers_.DeadlineOf(*context), *std::move(launch),
                     [reactor, response](absl::StatusOr<InlineResult> result) {
                       const absl::Status status = result.status();
                       if (result.ok()) *response = ToProto(*std::move(result));
                       reactor->Finish(ToGrpcStatus(status));
                     });
    return reactor;
  }

 private:
  absl::StatusOr<InlineLaunch> Prepare(const v1::LaunchRequest& request) {
    QUERN_ASSIGN_OR_RETURN(const KernelKey key,
                           KernelKey::FromBytes(request.key()));
    QUERN_ASSIGN_OR_RETURN(const CompiledKernel kernel, kernels_.Lookup(key));
    return FromProto(request, kernel.info, size_bytes_max_);
  }

  KernelService& kernels_;
  InlineLauncher& launcher_;
  Peers& peers_;
  const uint64_t size_bytes_max_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewLaunchServiceRpc(KernelService& kernels,
                                                   InlineLauncher& launcher,
                                                   Peers& peers,
                                                   uint64_t size_bytes_max) {
  return std::make_unique<LaunchServiceRpc>(kernels, launcher, peers,
                                            size_bytes_max);
}

}  // namespace quern
