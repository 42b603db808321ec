// A launch that ends when the launcher says so, and that its client may cancel.
#ifndef QUERN_SERVER_RPC_LAUNCH_REACTOR_H_
#define QUERN_SERVER_RPC_LAUNCH_REACTOR_H_

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <memory>

#include "server/core/inline_launcher.h"
#include "server/core/kernel_service.h"

namespace quern {

// Owns itself: it goes when gRPC is done with the call.
class LaunchReactor final : public grpc::ServerUnaryReactor {
 public:
  // `call` is the launch's number, with both.
  LaunchReactor(KernelService& kernels, InlineLauncher& launcher, uint64_t call)
      : kernels_(kernels), launcher_(launcher), call_(call) {}

  // Whether the client has cancelled; outlives the reactor.
  std::shared_ptr<const std::atomic<bool>> cancelled() const {
    return cancelled_;
  }

  void OnCancel() override {
    *cancelled_ = true;
    kernels_.Cancel(call_);
    launcher_.Cancel(call_);
  }
  void OnDone() override { delete this; }

 private:
  KernelService& kernels_;
  InlineLauncher& launcher_;
  const uint64_t call_;
  const std::shared_ptr<std::atomic<bool>> cancelled_ =
      std::make_shared<std::atomic<bool>>(false);
};

}  // namespace quern

#endif  // QUERN_SERVER_RPC_LAUNCH_REACTOR_H_
