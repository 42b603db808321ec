// Buffers in, launches, buffers out.
#include "client/cli/served_launcher.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr uint32_t kSlots = 64;

// The daemon ends a launch long before that.
constexpr absl::Duration kPatience = absl::Hours(1);

}  // namespace

absl::StatusOr<std::unique_ptr<ServedLauncher>> ServedLauncher::Open(
    Client& client, const KernelKey& key, const Grid& grid,
    std::vector<uint64_t> slots, std::span<const ArgumentArray> arrays) {
  auto launcher = std::make_unique<ServedLauncher>();
  QUERN_ASSIGN_OR_RETURN(launcher->client_, client.NewServedClient());
  QUERN_ASSIGN_OR_RETURN(const uint32_t kernel,
                         launcher->client_->LoadKernel(key));
  launcher->words_ = std::move(slots);
  QUERN_RETURN_IF_ERROR(launcher->Fill(arrays));
  QUERN_ASSIGN_OR_RETURN(launcher->ring_, launcher->client_->OpenRing(kSlots));
  launcher->batch_.assign(kSlots, {.kernel = kernel,
                                   .grid = {grid[0], grid[1], grid[2]},
                                   .arguments = launcher->words_});
  return launcher;
}

absl::Status ServedLauncher::Fill(std::span<const ArgumentArray> arrays) {
  for (const ArgumentArray& array : arrays) {
    const size_t size_bytes = array.contents.size_bytes();
    if (size_bytes == 0) {
      words_[array.argument] = 0;  // The null pointer.
      continue;
    }
    QUERN_ASSIGN_OR_RETURN(std::unique_ptr<ServedBuffer> buffer,
                           client_->AllocateBuffer(size_bytes));
    std::memcpy(buffer->data(), array.contents.data(), size_bytes);
    words_[array.argument] = buffer->Argument(0);
    copies_.push_back({&array, std::move(buffer)});
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> ServedLauncher::Wait() {
  quern_ring_completion completions[kSlots];
  QUERN_ASSIGN_OR_RETURN(const size_t count,
                         ring_->Wait(completions, kPatience));
  for (size_t i = 0; i < count; ++i) {
    QUERN_RETURN_IF_ERROR(StatusOf(completions[i]));
  }
  return count;
}

absl::Status ServedLauncher::Launch() {
  QUERN_RETURN_IF_ERROR(ring_->Submit({batch_.data(), 1}).status());
  return Wait().status();
}

absl::Status ServedLauncher::LaunchMany(uint32_t count) {
  size_t unsubmitted = count;
  size_t outstanding = 0;
  while (unsubmitted + outstanding != 0) {
    const size_t size = std::min<size_t>(unsubmitted, batch_.size());
    QUERN_ASSIGN_OR_RETURN(const size_t submitted,
                           ring_->Submit({batch_.data(), size}));
    unsubmitted -= submitted;
    outstanding += submitted;
    QUERN_ASSIGN_OR_RETURN(const size_t done, Wait());
    outstanding -= done;
  }
  return absl::OkStatus();
}

void ServedLauncher::CopyBack() const {
  for (const Copy& copy : copies_) {
    if (!copy.array->written_back) continue;
    std::memcpy(copy.array->contents.data(), copy.buffer->data(),
                copy.buffer->size_bytes());
  }
}

}  // namespace quern
