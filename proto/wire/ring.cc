// Slots, sequences and sleeping.
#include "proto/wire/ring.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "proto/wire/spin_pause.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr int kSpinsMin = 200;

// A sleep that was shorter than this had better been spun.
constexpr std::chrono::microseconds kShortSleep(50);

// The peer may write at any time, so that every access is atomic, if relaxed.
template <typename T>
T Load(T& field) {
  return std::atomic_ref(field).load(std::memory_order_relaxed);
}

template <typename T>
void Store(T& field, T value) {
  std::atomic_ref(field).store(value, std::memory_order_relaxed);
}

// Sleeps while `word` is 1. Not private: the peer is another process.
void FutexWait(uint32_t& word, absl::Duration timeout) {
  const timespec time = absl::ToTimespec(timeout);
  ::syscall(SYS_futex, &word, FUTEX_WAIT, 1, &time, nullptr, 0);
}

void FutexWake(uint32_t& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

// Wakes the peer if `sleeps` says that it sleeps, or is about to. Pairs with
// the fence in AwaitWord: either this sees the word, or the peer sees what was
// written before.
void WakeSleeper(uint32_t& sleeps) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (Load(sleeps) == 0) return;
  Store(sleeps, 0U);
  FutexWake(sleeps);
}

// Spins until `ready`, then sleeps on `sleeps` for at most `timeout`. Where a
// core is there for each end, sleeps are short or rare, and `spins` stays at
// its most. Where others need the cores, the peer among them, sleeps are long,
// and spinning would only keep them from running: it becomes less.
template <typename Ready>
bool AwaitWord(uint32_t& sleeps, int& spins, absl::Duration timeout,
               Ready ready) {
  for (int spin = 0; spin < spins; ++spin) {
    if (ready()) return true;
    SpinPause();
  }
  if (timeout <= absl::ZeroDuration()) return ready();
  const auto begin = std::chrono::steady_clock::now();
  Store(sleeps, 1U);
  // Pairs with the fence in WakeSleeper.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!ready()) FutexWait(sleeps, timeout);
  Store(sleeps, 0U);
  const bool was_short = std::chrono::steady_clock::now() - begin < kShortSleep;
  spins = was_short ? kRingSpinsMax : std::max(spins / 2, kSpinsMin);
  return ready();
}

}  // namespace

RingMemory::RingMemory(SharedRegion region, uint32_t slot_count)
    : region_(std::move(region)), mask_(slot_count - 1) {
  uint8_t* slots = region_.data() + QUERN_RING_HEADER_SIZE;
  submissions_ = reinterpret_cast<quern_ring_submission*>(slots);
  completions_ =
      reinterpret_cast<quern_ring_completion*>(submissions_ + slot_count);
}

absl::StatusOr<RingMemory> RingMemory::Check(SharedRegion region) {
  if (region.size_bytes() < QUERN_RING_HEADER_SIZE) {
    return absl::InvalidArgumentError("the ring is cut off");
  }
  auto& header = *reinterpret_cast<quern_ring_header*>(region.data());
  const uint32_t slot_count = Load(header.slot_count);
  if (Load(header.magic) != QUERN_RING_MAGIC ||
      Load(header.version) != QUERN_RING_VERSION ||
      !IsRingSlotCount(slot_count)) {
    return absl::InvalidArgumentError("not a ring of this version");
  }
  if (region.size_bytes() < RingSizeBytes(slot_count)) {
    return absl::InvalidArgumentError("the ring is cut off");
  }
  return RingMemory(std::move(region), slot_count);
}

absl::StatusOr<RingClient> RingClient::Open(SharedRegion region) {
  QUERN_ASSIGN_OR_RETURN(RingMemory memory,
                         RingMemory::Check(std::move(region)));
  return RingClient(std::move(memory));
}

bool RingClient::Submit(const RingLaunch& launch) {
  if (outstanding() == slot_count()) return false;
  quern_ring_submission& slot = memory_.submission(submitted_);
  const size_t count =
      std::min<size_t>(launch.arguments.size(), QUERN_RING_ARGUMENTS_MAX);
  Store(slot.kernel, launch.kernel);
  Store(slot.tag, launch.tag);
  for (size_t i = 0; i < launch.grid.size(); ++i) {
    Store(slot.grid[i], launch.grid[i]);
  }
  Store(slot.argument_count, static_cast<uint16_t>(count));
  Store(slot.flags, launch.flags);
  for (size_t i = 0; i < count; ++i) {
    Store(slot.arguments[i], launch.arguments[i]);
  }
  tags_[submitted_ & (slot_count() - 1)] = launch.tag;
  // Pairs with the acquire in RingExecutor::Ready.
  std::atomic_ref(slot.sequence).store(++submitted_, std::memory_order_release);
  return true;
}

void RingClient::Wake() { WakeSleeper(memory_.header().executor_sleeps); }

bool RingClient::Ready() const {
  // Pairs with the release in RingExecutor::Complete.
  return std::atomic_ref(memory_.completion(taken_).sequence)
             .load(std::memory_order_acquire) == taken_ + 1;
}

bool RingClient::Take(quern_ring_completion& completion) {
  if (outstanding() == 0 || !Ready()) return false;
  quern_ring_completion& slot = memory_.completion(taken_);
  completion = {.sequence = ++taken_,
                .status = Load(slot.status),
                .tag = tags_[(taken_ - 1) & (slot_count() - 1)],
                .detail = Load(slot.detail),
                .run_nanoseconds = Load(slot.run_nanoseconds)};
  return true;
}

bool RingClient::Abandon(uint32_t state, quern_ring_completion& completion) {
  if (outstanding() == 0) return false;
  completion = {.sequence = ++taken_,
                .status = QUERN_RING_EXECUTOR_ENDED,
                .tag = tags_[(taken_ - 1) & (slot_count() - 1)],
                .detail = state};
  return true;
}

bool RingClient::Await(absl::Duration timeout) {
  return AwaitWord(memory_.header().client_sleeps, spins_, timeout, [this] {
    return (outstanding() != 0 && Ready()) || state() != QUERN_RING_RUNNING;
  });
}

uint32_t RingClient::state() const {
  // Pairs with the store in RingOwner::End.
  return std::atomic_ref(memory_.header().state)
      .load(std::memory_order_acquire);
}

absl::StatusOr<RingExecutor> RingExecutor::Open(SharedRegion region) {
  QUERN_ASSIGN_OR_RETURN(RingMemory memory,
                         RingMemory::Check(std::move(region)));
  return RingExecutor(std::move(memory));
}

bool RingExecutor::Ready() const {
  // Pairs with the release in RingClient::Submit.
  return std::atomic_ref(memory_.submission(taken_).sequence)
             .load(std::memory_order_acquire) == taken_ + 1;
}

const quern_ring_submission* RingExecutor::Take() {
  if (!Ready()) return nullptr;
  quern_ring_submission& slot = memory_.submission(taken_);
  launch_.sequence = ++taken_;
  launch_.kernel = Load(slot.kernel);
  launch_.tag = Load(slot.tag);
  for (size_t i = 0; i < std::size(launch_.grid); ++i) {
    launch_.grid[i] = Load(slot.grid[i]);
  }
  launch_.argument_count = Load(slot.argument_count);
  launch_.flags = Load(slot.flags);
  if (launch_.argument_count <= QUERN_RING_ARGUMENTS_MAX) {
    for (size_t i = 0; i < launch_.argument_count; ++i) {
      launch_.arguments[i] = Load(slot.arguments[i]);
    }
  }
  return &launch_;
}

bool RingExecutor::Await(absl::Duration timeout,
                         const std::atomic<bool>& stop) {
  return AwaitWord(memory_.header().executor_sleeps, spins_, timeout,
                   [this, &stop] {
                     return Ready() || stop.load(std::memory_order_relaxed);
                   });
}

void RingExecutor::Interrupt() {
  uint32_t& sleeps = memory_.header().executor_sleeps;
  // Pairs with the fence in AwaitWord: a sleeper that this does not wake sees
  // that it is to stop.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  Store(sleeps, 0U);
  FutexWake(sleeps);
}

void RingExecutor::Begin() { Store(memory_.header().progress, 2 * ended_ + 1); }

void RingExecutor::Complete(const RingResult& result) {
  Store(memory_.header().progress, 2 * ++ended_);
  quern_ring_completion& slot = memory_.completion(launch_.sequence - 1);
  Store(slot.status, result.status);
  Store(slot.tag, launch_.tag);
  Store(slot.detail, result.detail);
  Store(slot.run_nanoseconds, result.run_nanoseconds);
  // Pairs with the acquire in RingClient::Ready.
  std::atomic_ref(slot.sequence)
      .store(launch_.sequence, std::memory_order_release);
  WakeSleeper(memory_.header().client_sleeps);
}

absl::StatusOr<RingOwner> RingOwner::Create(uint32_t slot_count) {
  if (!IsRingSlotCount(slot_count)) {
    return absl::InvalidArgumentError(
        "a ring has a power of two of slots, at most 1,024");
  }
  const size_t size_bytes = RingSizeBytes(slot_count);
  QUERN_ASSIGN_OR_RETURN(UniqueFd fd,
                         CreateSealedMemory("quern-ring", size_bytes));
  QUERN_ASSIGN_OR_RETURN(
      SharedRegion region,
      SharedRegion::Map(fd.get(), size_bytes, Access::kReadWrite));
  auto& header = *reinterpret_cast<quern_ring_header*>(region.data());
  header.magic = QUERN_RING_MAGIC;
  header.version = QUERN_RING_VERSION;
  header.slot_count = slot_count;
  header.state = QUERN_RING_RUNNING;
  QUERN_ASSIGN_OR_RETURN(RingMemory memory,
                         RingMemory::Check(std::move(region)));
  return RingOwner(std::move(fd), std::move(memory));
}

void RingOwner::End(uint32_t state) {
  quern_ring_header& header = memory_.header();
  // Pairs with the acquire in RingClient::state.
  std::atomic_ref(header.state).store(state, std::memory_order_release);
  for (uint32_t* sleeps : {&header.client_sleeps, &header.executor_sleeps}) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    Store(*sleeps, 0U);
    FutexWake(*sleeps);
  }
}

uint64_t RingOwner::progress() const { return Load(memory_.header().progress); }

}  // namespace quern
