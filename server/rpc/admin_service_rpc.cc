// GetStats, ListKernels, GetKernel and Evict.
#include "server/rpc/admin_service_rpc.h"

#include <optional>
#include <utility>
#include <vector>

#include "proto/wire/status.h"
#include "quern/v1/admin_service.grpc.pb.h"
#include "server/rpc/compile_reactor.h"
#include "server/rpc/conversions.h"
#include "server/rpc/grpc_status.h"
#include "server/rpc/request_key.h"
#include "server/rpc/watch_reactor.h"

namespace quern {
namespace {

class AdminServiceRpc final : public v1::AdminService::CallbackService {
 public:
  AdminServiceRpc(KernelService& kernels, CodeCache& cache, Peers& peers,
                  StatsFn stats, EventFeed& events, uint64_t incarnation)
      : kernels_(kernels),
        cache_(cache),
        peers_(peers),
        stats_(std::move(stats)),
        events_(events),
        incarnation_(incarnation) {}

  grpc::ServerUnaryReactor* GetStats(grpc::CallbackServerContext* context,
                                     const v1::GetStatsRequest*,
                                     v1::GetStatsResponse* response) override {
    *response = stats_();
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* ListKernels(
      grpc::CallbackServerContext* context,
      const v1::ListKernelsRequest* request,
      v1::ListKernelsResponse* response) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(List(*request, response)));
    return reactor;
  }

  grpc::ServerUnaryReactor* Evict(grpc::CallbackServerContext* context,
                                  const v1::EvictRequest* request,
                                  v1::EvictResponse*) override {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    const auto key = KeyOrFinish(request->key(), reactor);
    if (!key) return reactor;
    kernels_.Evict(*key, [reactor](const absl::Status& status) {
      reactor->Finish(ToGrpcStatus(status));
    });
    return reactor;
  }

  grpc::ServerUnaryReactor* GetKernel(
      grpc::CallbackServerContext* context, const v1::GetKernelRequest* request,
      v1::GetKernelResponse* response) override {
    auto* reactor = new CompileReactor(kernels_, peers_, *context);
    const auto key = KeyOrFinish(request->key(), reactor);
    if (!key) return reactor;
    kernels_.Lookup(reactor->context(), *key,
                    [this, reactor, request, response,
                     key = *key](const absl::StatusOr<CompiledKernel>& kernel) {
                      Get(key, kernel, request->view(), reactor, response);
                    });
    return reactor;
  }

  grpc::ServerWriteReactor<v1::WatchEventsResponse>* WatchEvents(
      grpc::CallbackServerContext*, const v1::WatchEventsRequest*) override {
    return NewWatchReactor(events_);
  }

 private:
  absl::Status List(const v1::ListKernelsRequest& request,
                    v1::ListKernelsResponse* response) {
    QUERN_ASSIGN_OR_RETURN(const ListPage page, FromProto(request));
    const std::vector<KernelInfo> kernels = cache_.List(page.after, page.size);
    for (const KernelInfo& info : kernels) {
      *response->add_kernels() = ToProto(info, incarnation_);
    }
    if (kernels.size() == page.size) {
      const KernelKey& last = kernels.back().key;
      response->set_next_page_token(last.bytes.data(), last.bytes.size());
    }
    return absl::OkStatus();
  }

  // Answers about a kernel that is `kernel`, or may be a source at least.
  void Get(const KernelKey& key, const absl::StatusOr<CompiledKernel>& kernel,
           v1::KernelView view, CompileReactor* reactor,
           v1::GetKernelResponse* response) {
    kernels_.Source(key, [this, key, kernel, view, reactor,
                          response](const absl::StatusOr<SourceSpec>& spec) {
      const absl::StatusOr<std::optional<CompileOutput>> output =
          Describe(kernel, view, spec, response);
      if (!output.ok() || !*output) {
        reactor->Finish(ToGrpcStatus(output.status()));
        return;
      }
      View(key, **output, reactor, response);
    });
  }

  void View(const KernelKey& key, CompileOutput output, CompileReactor* reactor,
            v1::GetKernelResponse* response) {
    kernels_.View(
        reactor->context(), key, output,
        [reactor, response](const absl::StatusOr<CompiledKernel>& kernel) {
          if (kernel.ok()) response->set_text(kernel->text);
          reactor->Finish(ToGrpcStatus(kernel.status()));
        });
  }

  // Fills in all but what must be compiled, and returns what that is. `spec`
  // is what the source was found to be.
  absl::StatusOr<std::optional<CompileOutput>> Describe(
      const absl::StatusOr<CompiledKernel>& kernel, v1::KernelView view,
      const absl::StatusOr<SourceSpec>& spec, v1::GetKernelResponse* response) {
    QUERN_ASSIGN_OR_RETURN(const std::optional<CompileOutput> output,
                           OutputOf(view));
    if (kernel.ok()) {
      *response->mutable_kernel() = ToProto(kernel->info, incarnation_);
    } else if (!spec.ok() || view != v1::KERNEL_VIEW_SOURCE) {
      return kernel.status();
    }
    if (spec.ok()) response->set_format(ToProto((*spec)->format));
    if (view == v1::KERNEL_VIEW_SOURCE) {
      QUERN_RETURN_IF_ERROR(spec.status());
      response->set_text((*spec)->source);
    }
    return output;
  }

  KernelService& kernels_;
  CodeCache& cache_;
  Peers& peers_;
  const StatsFn stats_;
  EventFeed& events_;
  const uint64_t incarnation_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewAdminServiceRpc(KernelService& kernels,
                                                  CodeCache& cache,
                                                  Peers& peers, StatsFn stats,
                                                  EventFeed& events,
                                                  uint64_t incarnation) {
  return std::make_unique<AdminServiceRpc>(
      kernels, cache, peers, std::move(stats), events, incarnation);
}

}  // namespace quern
