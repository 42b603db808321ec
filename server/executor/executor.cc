// Commands, one by one.
#include "server/executor/executor.h"

#include <algorithm>
#include <utility>

#include "proto/wire/packet.h"
#include "proto/wire/ring.h"
#include "proto/wire/shared_region.h"
#include "proto/wire/status.h"

namespace quern {

Executor::Executor(uint32_t rings_max, uint32_t thread_count)
    : launcher_(thread_count), runner_(memory_, launcher_) {
  launcher_.StartThreads();
  rings_ = StartRingThreads(rings_max, runner_);
}

absl::Status Executor::Apply(const ExecutorCommand& command,
                             const UniqueFd& fd) {
  switch (command.kind) {
    case ExecutorCommandKind::kLoadKernel: {
      KernelKey key;
      std::copy(std::begin(command.key), std::end(command.key),
                key.bytes.begin());
      return memory_.LoadKernel(command.id, key,
                                {.slab = command.slab, .page = command.page},
                                fd.get(), command.size_bytes);
    }
    case ExecutorCommandKind::kUnloadKernel:
      rings_->Synchronize();
      memory_.UnloadKernel(command.id);
      return absl::OkStatus();
    case ExecutorCommandKind::kMapBuffer:
      return memory_.MapBuffer(command.id, fd.get(), command.size_bytes);
    case ExecutorCommandKind::kUnmapBuffer:
      rings_->Synchronize();
      memory_.UnmapBuffer(command.id);
      return absl::OkStatus();
    case ExecutorCommandKind::kOpenRing:
      return OpenRing(command, fd);
    case ExecutorCommandKind::kCloseRing:
      rings_->Close(command.id);
      return absl::OkStatus();
  }
  return absl::InvalidArgumentError("not a command");
}

absl::Status Executor::OpenRing(const ExecutorCommand& command,
                                const UniqueFd& fd) {
  QUERN_ASSIGN_OR_RETURN(
      SharedRegion region,
      SharedRegion::Map(fd.get(), command.size_bytes, Access::kReadWrite));
  QUERN_ASSIGN_OR_RETURN(RingExecutor ring,
                         RingExecutor::Open(std::move(region)));
  return rings_->Open(command.id, std::move(ring));
}

absl::Status ServeCommands(int control, Executor& executor) {
  while (true) {
    QUERN_ASSIGN_OR_RETURN(const Packet packet,
                           ReceivePacket(control, sizeof(ExecutorCommand)));
    ExecutorCommand command;
    absl::Status status = absl::InvalidArgumentError("not a command");
    if (MessageFromBytes(packet.bytes, command)) {
      status = executor.Apply(command, packet.fd);
    }
    ExecutorAnswer answer;
    answer.status = static_cast<uint32_t>(status.code());
    QUERN_RETURN_IF_ERROR(SendPacket(control, MessageBytes(answer)));
  }
}

}  // namespace quern
