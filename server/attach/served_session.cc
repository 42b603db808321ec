// Requests for served launches, and the life of an executor.
#include "server/attach/served_session.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/image_format.h"
#include "proto/wire/shared_region.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr uint64_t kPageSize = 4096;

// A launch is looked at so often within its time limit.
constexpr int kLooksPerLaunch = 8;
constexpr absl::Duration kTickMin = absl::Milliseconds(10);
constexpr absl::Duration kTickMax = absl::Seconds(1);

absl::Status NoSuch(const char* what) {
  return absl::NotFoundError(absl::StrCat("this session has no such ", what));
}

absl::Status TooMany(const char* what) {
  return absl::ResourceExhaustedError(
      absl::StrCat("this session has as many ", what, " as it may"));
}

absl::Status EndedBy(uint32_t state) {
  if (state == QUERN_RING_NOT_CONFINED) {
    return absl::FailedPreconditionError(
        "the executor could not enter its sandbox");
  }
  return absl::AbortedError("the executor ended while it opened the ring");
}

}  // namespace

ServedSession::ServedSession(const ServedParts& parts, OnStarted on_started,
                             OnReply on_reply)
    : parts_(parts),
      on_started_(std::move(on_started)),
      on_reply_(std::move(on_reply)),
      kernel_ids_(kKernelIndexBits, kKernelIdBits, parts.limits.kernels_max),
      buffer_ids_(kBufferIndexBits, kBufferIdBits, parts.limits.buffers_max) {}

ServedSession::~ServedSession() { Release(); }

void ServedSession::Reply(absl::StatusOr<ServedReply> reply) {
  busy_ = false;
  on_end_ = nullptr;
  on_reply_(std::move(reply));
}

void ServedSession::Tell(const ExecutorCommand& command, int fd,
                         ServedReply reply, std::function<void()> undo) {
  if (executor_ == nullptr) return Reply(std::move(reply));
  busy_ = true;
  // Held by both of two, of which one is called.
  auto held = std::make_shared<ServedReply>(std::move(reply));
  // The next executor is told anew.
  on_end_ = [this, held](uint32_t) { Reply(std::move(*held)); };
  executor_->Send(
      command, fd,
      [this, held, undo = std::move(undo)](const absl::Status& status) {
        if (status.ok()) return Reply(std::move(*held));
        undo();
        Reply(status);
      },
      parts_.clock.Now());
}

void ServedSession::LoadKernel(const KernelKey& key) {
  const std::optional<KernelInfo> info = parts_.find_kernel(key);
  if (!info || info->place.slab == 0) {
    return Reply(absl::NotFoundError("the daemon does not have the kernel"));
  }
  absl::StatusOr<std::shared_ptr<const SlabDescriptor>> slab =
      Slab(info->place.slab);
  if (!slab.ok()) return Reply(slab.status());
  const std::optional<uint32_t> id = kernel_ids_.Take();
  if (!id) return Reply(TooMany("kernels"));
  const Kernel& kernel =
      kernels_.emplace(*id, Kernel{.info = *info, .slab = *std::move(slab)})
          .first->second;
  Tell(CommandFor(*id, kernel), kernel.slab->fd.get(),
       {.type = QUERN_ATTACH_KERNEL,
        .value = *id,
        .size_bytes = info->argument_kinds.size()},
       [this, id] {
         kernels_.erase(*id);
         kernel_ids_.GiveBack(*id);
       });
}

void ServedSession::UnloadKernel(uint64_t id) {
  const auto found = id > UINT32_MAX ? kernels_.end()
                                     : kernels_.find(static_cast<uint32_t>(id));
  if (found == kernels_.end()) return Reply(NoSuch("kernel"));
  const ExecutorCommand command = {.kind = ExecutorCommandKind::kUnloadKernel,
                                   .id = found->first};
  kernel_ids_.GiveBack(found->first);
  kernels_.erase(found);
  Tell(command, -1, {}, [] {});
}

void ServedSession::AllocateBuffer(uint64_t size_bytes) {
  const uint64_t limit = parts_.limits.buffers_size_bytes_max;
  const uint64_t charged = (size_bytes + kPageSize - 1) / kPageSize * kPageSize;
  if (size_bytes == 0) {
    return Reply(absl::OutOfRangeError("a buffer has at least one byte"));
  }
  if (size_bytes > limit || charged > limit - buffers_size_bytes_) {
    return Reply(TooMany("bytes of buffers"));
  }
  absl::StatusOr<UniqueFd> fd = CreateSealedMemory("quern-buffer", size_bytes);
  if (!fd.ok()) {
    return Reply(absl::ResourceExhaustedError("there is no memory for it"));
  }
  UniqueFd copy(::dup(fd->get()));
  if (!copy.valid()) {
    return Reply(
        absl::ResourceExhaustedError("the daemon is out of "
                                     "descriptors"));
  }
  const std::optional<uint32_t> id = buffer_ids_.Take();
  if (!id) return Reply(TooMany("buffers"));
  const Buffer& buffer =
      buffers_
          .emplace(*id, Buffer{.fd = *std::move(fd), .size_bytes = size_bytes})
          .first->second;
  buffers_size_bytes_ += charged;
  Tell(CommandFor(*id, buffer), buffer.fd.get(),
       {.type = QUERN_ATTACH_BUFFER,
        .value = *id,
        .size_bytes = size_bytes,
        .fd = std::move(copy)},
       [this, id, charged] {
         buffers_.erase(*id);
         buffer_ids_.GiveBack(*id);
         buffers_size_bytes_ -= charged;
       });
}

void ServedSession::FreeBuffer(uint64_t id) {
  const auto found = id > UINT32_MAX ? buffers_.end()
                                     : buffers_.find(static_cast<uint32_t>(id));
  if (found == buffers_.end()) return Reply(NoSuch("buffer"));
  const ExecutorCommand command = {.kind = ExecutorCommandKind::kUnmapBuffer,
                                   .id = found->first};
  buffers_size_bytes_ -=
      (found->second.size_bytes + kPageSize - 1) / kPageSize * kPageSize;
  buffer_ids_.GiveBack(found->first);
  buffers_.erase(found);
  Tell(command, -1, {}, [] {});
}

void ServedSession::OpenRing(uint64_t slot_count) {
  if (!IsRingSlotCount(slot_count) ||
      slot_count > parts_.limits.ring_slots_max) {
    return Reply(absl::OutOfRangeError(
        absl::StrCat("a ring has a power of two of slots, at most ",
                     parts_.limits.ring_slots_max)));
  }
  // No more launches run than the executor has threads, one for each ring: a
  // client that tells of more does not tell the truth.
  if (closing_.size() >= parts_.limits.rings_max) {
    std::erase_if(closing_, [](const Ring& ring) { return !ring.Runs(); });
  }
  if (rings_.size() >= parts_.limits.rings_max ||
      closing_.size() >= parts_.limits.rings_max) {
    return Reply(TooMany("rings"));
  }
  absl::StatusOr<RingOwner> owner =
      RingOwner::Create(static_cast<uint32_t>(slot_count));
  if (!owner.ok()) {
    return Reply(absl::ResourceExhaustedError("there is no memory for it"));
  }
  UniqueFd copy(::dup(owner->fd()));
  if (!copy.valid()) {
    return Reply(
        absl::ResourceExhaustedError("the daemon is out of "
                                     "descriptors"));
  }
  if (executor_ == nullptr) {
    if (const absl::Status status = StartExecutor(); !status.ok()) {
      return Reply(status);
    }
  }
  const uint32_t id = ++last_ring_;
  Ring& ring =
      rings_.emplace(id, Ring{.owner = *std::move(owner)}).first->second;
  const uint64_t size_bytes = ring.owner.size_bytes();
  const ExecutorCommand command = {.kind = ExecutorCommandKind::kOpenRing,
                                   .id = id,
                                   .size_bytes = size_bytes};
  auto fd = std::make_shared<UniqueFd>(std::move(copy));
  busy_ = true;
  on_end_ = [this](uint32_t state) { Reply(EndedBy(state)); };
  executor_->Send(
      command, ring.owner.fd(),
      [this, id, size_bytes, fd](const absl::Status& status) {
        const auto found = rings_.find(id);
        if (!status.ok()) {
          rings_.erase(found);
          return Reply(status);
        }
        found->second.owner.CloseFd();
        Reply(ServedReply{.type = QUERN_ATTACH_RING,
                          .value = id,
                          .size_bytes = size_bytes,
                          .fd = std::move(*fd)});
      },
      parts_.clock.Now());
}

void ServedSession::CloseRing(uint64_t id) {
  const auto found =
      id > UINT32_MAX ? rings_.end() : rings_.find(static_cast<uint32_t>(id));
  // One whose executor ended is gone already.
  if (found == rings_.end()) return Reply(NoSuch("ring"));
  const ExecutorCommand command = {.kind = ExecutorCommandKind::kCloseRing,
                                   .id = found->first};
  found->second.owner.End(QUERN_RING_CLOSED);
  closing_.push_back(std::move(found->second));
  rings_.erase(found);
  Tell(command, -1, {}, [] {});
}

absl::Status ServedSession::StartExecutor() {
  const absl::Time now = parts_.clock.Now();
  absl::StatusOr<std::unique_ptr<ExecutorProcess>> process =
      parts_.starter.Start(parts_.setup);
  if (!process.ok()) return process.status();
  parts_.counters.started.fetch_add(1, std::memory_order_relaxed);
  parts_.counters.running.fetch_add(1, std::memory_order_relaxed);
  executor_ = std::make_unique<ExecutorLink>(*std::move(process), now,
                                             parts_.limits.answer_timeout);
  on_started_(executor_->process());
  // An executor that cannot take what another had is of no use.
  const auto check = [this](const absl::Status& status) {
    if (!status.ok()) executor_->Kill(QUERN_RING_OUT_OF_MEMORY);
  };
  for (const auto& [id, buffer] : buffers_) {
    executor_->Send(CommandFor(id, buffer), buffer.fd.get(), check, now);
  }
  for (const auto& [id, kernel] : kernels_) {
    executor_->Send(CommandFor(id, kernel), kernel.slab->fd.get(), check, now);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const SlabDescriptor>> ServedSession::Slab(
    uint32_t slab) {
  auto opened = parts_.open_slabs->Open(slab);
  if (absl::IsNotFound(opened.status())) {
    return absl::NotFoundError("the kernel was evicted meanwhile");
  }
  if (!opened.ok()) {
    return absl::ResourceExhaustedError("the daemon is out of descriptors");
  }
  return opened;
}

ExecutorCommand ServedSession::CommandFor(uint32_t id,
                                          const Kernel& kernel) const {
  ExecutorCommand command = {.kind = ExecutorCommandKind::kLoadKernel,
                             .id = id,
                             .slab = kernel.info.place.slab,
                             .page = kernel.info.place.page,
                             .size_bytes = kernel.slab->size_bytes};
  std::copy(kernel.info.key.bytes.begin(), kernel.info.key.bytes.end(),
            command.key);
  return command;
}

ExecutorCommand ServedSession::CommandFor(uint32_t id, const Buffer& buffer) {
  return {.kind = ExecutorCommandKind::kMapBuffer,
          .id = id,
          .size_bytes = buffer.size_bytes};
}

void ServedSession::OnControl() {
  if (executor_ != nullptr) executor_->Receive(parts_.clock.Now());
  // Where the kernel tells no end of a process, the socket does.
  OnProcess();
}

void ServedSession::OnProcess() {
  if (executor_ == nullptr) return;
  const std::optional<uint32_t> state = executor_->Ended();
  if (!state) return;
  parts_.counters.running.fetch_sub(1, std::memory_order_relaxed);
  if (*state < parts_.counters.ended.size()) {
    parts_.counters.ended[*state].fetch_add(1, std::memory_order_relaxed);
  }
  parts_.on_executor_end(*state);
  executor_.reset();
  EndRings(*state);
  if (const auto on_end = std::exchange(on_end_, nullptr)) on_end(*state);
}

void ServedSession::EndRings(uint32_t state) {
  for (auto& [id, ring] : rings_) ring.owner.End(state);
  rings_.clear();
  closing_.clear();
}

bool ServedSession::Overran(Ring& ring, absl::Time now) const {
  const uint64_t progress = ring.owner.progress();
  if (progress % 2 == 0 || progress != ring.progress) {
    ring.progress = progress;
    ring.progress_at = now;
  }
  return now - ring.progress_at >= parts_.limits.launch_timeout;
}

void ServedSession::Tick() {
  if (executor_ == nullptr) return;
  const absl::Time now = parts_.clock.Now();
  executor_->Tick(now);
  // Once the executor has been told, one that is idle stays so.
  if (!busy_) {
    std::erase_if(closing_, [](const Ring& ring) { return !ring.Runs(); });
  }
  bool overran = false;
  for (auto& [id, ring] : rings_) overran |= Overran(ring, now);
  for (Ring& ring : closing_) overran |= Overran(ring, now);
  if (overran) executor_->Kill(QUERN_RING_TIMED_OUT);
  OnProcess();
}

std::optional<absl::Duration> ServedSession::TickInterval() const {
  if (executor_ == nullptr) return std::nullopt;
  return std::clamp(parts_.limits.launch_timeout / kLooksPerLaunch, kTickMin,
                    kTickMax);
}

std::unique_ptr<ExecutorProcess> ServedSession::Release() {
  if (executor_ == nullptr) return nullptr;
  EndRings(QUERN_RING_CLOSED);
  std::unique_ptr<ExecutorProcess> process = executor_->Release();
  process->Kill();
  executor_.reset();
  parts_.counters.running.fetch_sub(1, std::memory_order_relaxed);
  return process;
}

}  // namespace quern
