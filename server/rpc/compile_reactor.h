// A call that ends when the core says so, and that its client may cancel.
#ifndef QUERN_SERVER_RPC_COMPILE_REACTOR_H_
#define QUERN_SERVER_RPC_COMPILE_REACTOR_H_

#include <grpcpp/grpcpp.h>

#include "server/core/kernel_service.h"
#include "server/rpc/peers.h"

namespace quern {

// Owns itself: it goes when gRPC is done with the call.
class CompileReactor final : public grpc::ServerUnaryReactor {
 public:
  CompileReactor(KernelService& kernels, Peers& peers,
                 const grpc::CallbackServerContext& server)
      : kernels_(kernels),
        context_{.call = kernels.NewCall(),
                 .session = peers.SessionOf(server),
                 .deadline = peers.DeadlineOf(server)} {}

  const CallContext& context() const { return context_; }

  void OnCancel() override { kernels_.Cancel(context_.call); }
  void OnDone() override { delete this; }

 private:
  KernelService& kernels_;
  const CallContext context_;
};

}  // namespace quern

#endif  // QUERN_SERVER_RPC_COMPILE_REACTOR_H_
