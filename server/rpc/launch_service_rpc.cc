// Launch.
#include "server/rpc/launch_service_rpc.h"

#include <utility>

#include "proto/wire/status.h"
#include "quern/v1/launch_service.grpc.pb.h"
#include "server/rpc/grpc_status.h"
#include "server/rpc/launch_conversions.h"
#include "server/rpc/launch_reactor.h"
#include "server/rpc/request_key.h"

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
    auto* reactor = new LaunchReactor(kernels_, launcher_, call);
    const auto key = KeyOrFinish(request->key(), reactor);
    if (!key) return reactor;
    const CallContext caller = {.call = call,
                                .session = peers_.SessionOf(*context),
                                .deadline = peers_.DeadlineOf(*context)};
    kernels_.Lookup(caller, *key,
                    [this, caller, request, reactor,
                     response](const absl::StatusOr<CompiledKernel>& kernel) {
                      Run(caller, kernel, *request, reactor, response);
                    });
    return reactor;
  }

 private:
  void Run(const CallContext& caller,
           const absl::StatusOr<CompiledKernel>& kernel,
           const v1::LaunchRequest& request, LaunchReactor* reactor,
           v1::LaunchResponse* response) {
    absl::StatusOr<InlineLaunch> launch = Prepare(kernel, request);
    if (!launch.ok()) {
      reactor->Finish(ToGrpcStatus(launch.status()));
      return;
    }
    const auto cancelled = reactor->cancelled();
    launcher_.Launch(caller.call, caller.session, caller.deadline,
                     *std::move(launch),
                     [reactor, response](absl::StatusOr<InlineResult> result) {
                       const absl::Status status = result.status();
                       if (result.ok()) *response = ToProto(*std::move(result));
                       reactor->Finish(ToGrpcStatus(status));
                     });
    // A cancellation may have come before there was a launch to cancel.
    if (*cancelled) launcher_.Cancel(caller.call);
  }

  absl::StatusOr<InlineLaunch> Prepare(
      const absl::StatusOr<CompiledKernel>& kernel,
      const v1::LaunchRequest& request) const {
    QUERN_RETURN_IF_ERROR(kernel.status());
    return FromProto(request, kernel->info, size_bytes_max_);
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
