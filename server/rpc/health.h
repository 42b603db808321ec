// What the health service says of KernelService: that it serves, once there is
// a compiler, and while there is one.
#ifndef QUERN_SERVER_RPC_HEALTH_H_
#define QUERN_SERVER_RPC_HEALTH_H_

#include <grpcpp/health_check_service_interface.h>

#include <mutex>

#include "absl/base/thread_annotations.h"

namespace quern {

// Thread-safe. The state may be set before there is a server to tell.
class Health final {
 public:
  void SetCompiler(bool available);

  // Tells `service` the state, now and from now on; null: nobody any more.
  void Connect(grpc::HealthCheckServiceInterface* service);

 private:
  void Tell() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::mutex mutex_;
  bool compiler_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::HealthCheckServiceInterface* service_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace quern

#endif  // QUERN_SERVER_RPC_HEALTH_H_
