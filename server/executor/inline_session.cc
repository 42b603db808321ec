// Copying in, launching, copying out.
#include "server/executor/inline_session.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "client/runtime/attach_client.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr absl::Duration kAnswerTimeout = absl::Seconds(15);
constexpr uint32_t kRingSlots = 1;

// How long a cancelled launch may go unnoticed.
constexpr absl::Duration kLookInterval = absl::Milliseconds(20);

// Tensors begin at a multiple of this: no kernel assumes more.
constexpr uint64_t kAlignmentBytes = 64;

// Kernels that stay loaded for the next launch.
constexpr size_t kKernelsMax = 16;

uint64_t Aligned(uint64_t size_bytes) {
  return (size_bytes + kAlignmentBytes - 1) / kAlignmentBytes * kAlignmentBytes;
}

uint64_t RoomFor(const InlineLaunch& launch) {
  uint64_t size_bytes = 0;
  for (const InlineArgument& argument : launch.arguments) {
    if (argument.is_tensor) size_bytes += Aligned(argument.tensor.size_bytes);
  }
  return size_bytes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<InlineSession>> InlineSession::Open(
    UniqueFd socket) {
  UniqueFd copy(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return ErrnoStatus(errno, "copying a descriptor");
  QUERN_ASSIGN_OR_RETURN(
      std::unique_ptr<AttachClient> attach,
      AttachClient::FromSocket(std::move(socket), kAnswerTimeout));
  QUERN_ASSIGN_OR_RETURN(std::unique_ptr<ServedClient> client,
                         ServedClient::Create(std::move(attach), nullptr));
  QUERN_ASSIGN_OR_RETURN(std::unique_ptr<ServedRing> ring,
                         client->OpenRing(kRingSlots));
  return std::unique_ptr<InlineSession>(
      new InlineSession(std::move(copy), std::move(client), std::move(ring)));
}

// A launch that was given up may run yet: its buffer is not to be taken from
// under it. The session's end ends it.
InlineSession::~InlineSession() {
  if (broken_) ::shutdown(socket_.get(), SHUT_RDWR);
}

absl::StatusOr<uint32_t> InlineSession::Kernel(const KernelKey& key) {
  const auto found = kernels_.find(key);
  if (found != kernels_.end()) return found->second;
  if (kernels_.size() >= kKernelsMax) {
    QUERN_RETURN_IF_ERROR(client_->UnloadKernel(kernels_.begin()->second));
    kernels_.erase(kernels_.begin());
  }
  QUERN_ASSIGN_OR_RETURN(const uint32_t id, client_->LoadKernel(key));
  kernels_.emplace(key, id);
  return id;
}

absl::Status InlineSession::MakeRoom(uint64_t size_bytes) {
  if (size_bytes == 0) return absl::OkStatus();
  if (buffer_ != nullptr && buffer_->size_bytes() >= size_bytes) {
    return absl::OkStatus();
  }
  buffer_.reset();
  QUERN_ASSIGN_OR_RETURN(buffer_, client_->AllocateBuffer(size_bytes));
  return absl::OkStatus();
}

std::vector<uint64_t> InlineSession::Place(const InlineLaunch& launch) {
  std::vector<uint64_t> words;
  uint64_t offset = 0;
  for (const InlineArgument& argument : launch.arguments) {
    if (!argument.is_tensor) {
      words.push_back(argument.slot);
      continue;
    }
    const InlineTensor& tensor = argument.tensor;
    if (tensor.size_bytes == 0) {
      words.push_back(0);  // The null pointer.
      continue;
    }
    uint8_t* const begin = buffer_->data() + offset;
    std::memcpy(begin, tensor.data.data(), tensor.data.size());
    std::memset(begin + tensor.data.size(), 0,
                tensor.size_bytes - tensor.data.size());
    words.push_back(buffer_->Argument(offset));
    offset += Aligned(tensor.size_bytes);
  }
  return words;
}

absl::StatusOr<absl::Duration> InlineSession::Await(
    absl::Time deadline, Clock& clock, const std::atomic<bool>& cancelled) {
  while (true) {
    quern_ring_completion completion;
    QUERN_ASSIGN_OR_RETURN(const size_t count,
                           ring_->Wait({&completion, 1}, kLookInterval));
    if (count == 1) {
      QUERN_RETURN_IF_ERROR(StatusOf(completion));
      return absl::Nanoseconds(completion.run_nanoseconds);
    }
    if (cancelled) return absl::CancelledError("the call was cancelled");
    if (clock.Now() >= deadline) {
      return absl::DeadlineExceededError("the call's deadline has passed");
    }
  }
}

bool InlineSession::Usable() {
  // Submitting nothing tells whether the executor has ended.
  return !broken_ && ring_->Submit({}).ok();
}

absl::StatusOr<InlineResult> InlineSession::Run(
    const InlineLaunch& launch, absl::Time deadline, Clock& clock,
    const std::atomic<bool>& cancelled) {
  const absl::StatusOr<uint32_t> kernel = Kernel(launch.key);
  if (absl::IsNotFound(kernel.status())) return kernel.status();
  broken_ = true;  // Unless all goes well.
  QUERN_RETURN_IF_ERROR(kernel.status());
  QUERN_RETURN_IF_ERROR(MakeRoom(RoomFor(launch)));
  const std::vector<uint64_t> words = Place(launch);
  const RingLaunch submission = {.kernel = *kernel,
                                 .grid = launch.grid,
                                 .flags = QUERN_RING_MEASURE,
                                 .arguments = words};
  QUERN_RETURN_IF_ERROR(ring_->Submit({&submission, 1}).status());
  const absl::StatusOr<absl::Duration> run = Await(deadline, clock, cancelled);
  broken_ = !run.ok() && !absl::IsInvalidArgument(run.status());
  QUERN_RETURN_IF_ERROR(run.status());
  InlineResult result{.tensors = {}, .run_duration = *run};
  uint64_t offset = 0;
  for (const InlineArgument& argument : launch.arguments) {
    if (!argument.is_tensor) continue;
    const uint64_t size_bytes = argument.tensor.size_bytes;
    if (argument.tensor.returned && size_bytes == 0) {
      result.tensors.emplace_back();
    } else if (argument.tensor.returned) {
      result.tensors.emplace_back(
          reinterpret_cast<const char*>(buffer_->data() + offset), size_bytes);
    }
    offset += Aligned(size_bytes);
  }
  return result;
}

}  // namespace quern
