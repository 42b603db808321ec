// Compile and Lookup.
#include "server/rpc/kernel_service_rpc.h"

#include <utility>

#include "quern/v1/kernel_service.grpc.pb.h"
#include "server/rpc/compile_reactor.h"
#include "server/rpc/grpc_status.h"
#include "server/rpc/request_key.h"

namespace quern {
namespace {

class KernelServiceRpc final : public v1::KernelService::CallbackService {
 public:
  KernelServiceRpc(quern::KernelService& kernels, Peers& peers,
                   const RequestLimits& limits, uint64_t incarnation)
      : kernels_(kernels),
        peers_(peers),
        limits_(limits),
        incarnation_(incarnation) {}

  grpc::ServerUnaryReactor* Compile(grpc::CallbackServerContext* context,
                                    const v1::CompileRequest* request,
                                    v1::CompileResponse* response) override {
    auto* reactor = new CompileReactor(kernels_, peers_, *context);
    absl::StatusOr<CompileSpec> spec = FromProto(*request, limits_);
    if (!spec.ok()) {
      reactor->Finish(ToGrpcStatus(spec.status()));
      return reactor;
    }
    kernels_.Compile(reactor->context(), *std::move(spec),
                     [reactor, response, incarnation = incarnation_](
                         const absl::StatusOr<CompiledKernel>& kernel) {
                       if (kernel.ok()) {
                         *response = ToProto(*kernel, incarnation);
                       }
                       reactor->Finish(ToGrpcStatus(kernel.status()));
                     });
    return reactor;
  }

  grpc::ServerUnaryReactor* Lookup(grpc::CallbackServerContext* context,
                                   const v1::LookupRequest* request,
                                   v1::LookupResponse* response) override {
    auto* reactor = new CompileReactor(kernels_, peers_, *context);
    const auto key = KeyOrFinish(request->key(), reactor);
    if (!key) return reactor;
    kernels_.Lookup(reactor->context(), *key,
                    [reactor, response, incarnation = incarnation_](
                        const absl::StatusOr<CompiledKernel>& kernel) {
                      if (kernel.ok()) {
                        *response->mutable_kernel() =
                            ToProto(kernel->info, incarnation);
                      }
                      reactor->Finish(ToGrpcStatus(kernel.status()));
                    });
    return reactor;
  }

 private:
  quern::KernelService& kernels_;
  Peers& peers_;
  const RequestLimits limits_;
  const uint64_t incarnation_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewKernelServiceRpc(
    quern::KernelService& kernels, Peers& peers, const RequestLimits& limits,
    uint64_t incarnation) {
  return std::make_unique<KernelServiceRpc>(kernels, peers, limits,
                                            incarnation);
}

}  // namespace quern
