// Telling the health service.
#include "server/rpc/health.h"

namespace quern {

void Health::SetCompiler(bool available) {
  std::lock_guard lock(mutex_);
  compiler_ = available;
  Tell();
}

void Health::Connect(grpc::HealthCheckServiceInterface* service) {
  std::lock_guard lock(mutex_);
  service_ = service;
  Tell();
}

void Health::Tell() {
  if (service_ == nullptr) return;
  service_->SetServingStatus("quern.v1.KernelService", compiler_);
}

}  // namespace quern
