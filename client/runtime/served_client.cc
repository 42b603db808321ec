// The session's requests.
#include "client/runtime/served_client.h"

#include <utility>

#include "proto/wire/status.h"

namespace quern {

absl::Status ServedConnection::Check() const {
  if (!fork_guard->Forked()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "served launches do not go on in a forked child; make a new session");
}

// A daemon that is gone has nothing to free.
ServedBuffer::~ServedBuffer() {
  if (!connection_->Check().ok()) return;
  connection_->attach->FreeBuffer(shared_.id).IgnoreError();
}

absl::StatusOr<std::unique_ptr<ServedClient>> ServedClient::Create(
    std::shared_ptr<AttachClient> attach, BringBack bring_back) {
  auto connection = std::make_shared<ServedConnection>();
  connection->attach = std::move(attach);
  QUERN_ASSIGN_OR_RETURN(connection->fork_guard, ForkGuard::Create());
  return std::unique_ptr<ServedClient>(
      new ServedClient(std::move(connection), std::move(bring_back)));
}

absl::StatusOr<uint32_t> ServedClient::LoadKernel(const KernelKey& key) {
  QUERN_RETURN_IF_ERROR(connection_->Check());
  const absl::StatusOr<uint32_t> id = connection_->attach->LoadKernel(key);
  if (!absl::IsNotFound(id.status()) || bring_back_ == nullptr) return id;
  QUERN_RETURN_IF_ERROR(bring_back_(key));
  return connection_->attach->LoadKernel(key);
}

absl::Status ServedClient::UnloadKernel(uint32_t id) {
  QUERN_RETURN_IF_ERROR(connection_->Check());
  return connection_->attach->UnloadKernel(id);
}

absl::StatusOr<std::unique_ptr<ServedBuffer>> ServedClient::AllocateBuffer(
    uint64_t size_bytes) {
  QUERN_RETURN_IF_ERROR(connection_->Check());
  QUERN_ASSIGN_OR_RETURN(AttachClient::Shared shared,
                         connection_->attach->AllocateBuffer(size_bytes));
  return std::make_unique<ServedBuffer>(connection_, std::move(shared));
}

absl::StatusOr<std::unique_ptr<ServedRing>> ServedClient::OpenRing(
    uint32_t slot_count) {
  QUERN_RETURN_IF_ERROR(connection_->Check());
  QUERN_ASSIGN_OR_RETURN(AttachClient::Shared shared,
                         connection_->attach->OpenRing(slot_count));
  QUERN_ASSIGN_OR_RETURN(RingClient ring,
                         RingClient::Open(std::move(shared.region)));
  return std::make_unique<ServedRing>(connection_, shared.id, std::move(ring));
}

}  // namespace quern
