// A launch that ends when the launcher says so, and that its client may cancel.
#ifndef QUERN_SERVER_RPC_LAUNCH_REACTOR_H_
#define QUERN_SERVER_RPC_LAUNCH_REACTOR_H_

#include <grpcpp/grpcpp.h>

#include "server/core/inline_launcher.h"

namespace quern {

// Owns itself: it goes when gRPC is done with the call.
class LaunchReactor final : public grpc::ServerUnaryReactor {
 public:
  // `call` is the launch's number.
  LaunchReactor(InlineLauncher& launcher, uint64_t call)
      : launcher_(launcher), call_(call) {}

  void OnCancel() override { launcher_.Cancel(call_); }
  void OnDone() override { delete this; }

 private:
  InlineLauncher& launcher_;
  const uint64_t call_;
};

}  // namespace quern

#endif  // QUERN_SERVER_RPC_LAUNCH_REACTOR_H_
