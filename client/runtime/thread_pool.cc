// Workers that spin, then park.
#include "client/runtime/thread_pool.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "client/runtime/floating_point_control.h"
#include "proto/wire/spin_pause.h"

namespace quern {
namespace {

// About 50 us: longer than the time between two launches of a busy model.
constexpr int kSpins = 2000;

// Pieces a thread on average, so that unequal cores end at about one time.
constexpr uint64_t kChunksPerThread = 16;

// The half of `word` that a futex can look at: both targets are little-endian.
uint32_t* LowHalf(std::atomic<uint64_t>& word) {
  return reinterpret_cast<uint32_t*>(&word);
}

// Returns when woken, or at once if the low half is not that of `value`.
void FutexWait(std::atomic<uint64_t>& word, uint64_t value) {
  ::syscall(SYS_futex, LowHalf(word), FUTEX_WAIT_PRIVATE,
            static_cast<uint32_t>(value), nullptr, nullptr, 0);
}

void FutexWakeAll(std::atomic<uint64_t>& word) {
  ::syscall(SYS_futex, LowHalf(word), FUTEX_WAKE_PRIVATE, INT32_MAX, nullptr,
            nullptr, 0);
}

class SpinningThreadPool final : public ThreadPool {
 public:
  explicit SpinningThreadPool(uint32_t thread_count)
      : thread_count_(std::max(thread_count, 1u)) {}

  ~SpinningThreadPool() override {
    stopping_.store(true, std::memory_order_relaxed);
    Announce(0);
    FutexWakeAll(call_);
    for (std::thread& worker : workers_) worker.join();
  }

  void Start() override {
    StartWorkers();
    while (running_.load(std::memory_order_acquire) != workers_.size()) {
      std::this_thread::yield();
    }
  }

  uint32_t thread_count() const override { return thread_count_; }

  int32_t Run(uint64_t count, uint32_t threads, Chunk chunk) override {
    const uint32_t wanted = static_cast<uint32_t>(std::min<uint64_t>(
        threads == 0 ? thread_count_ : std::min(threads, thread_count_),
        count));
    // Pairs with the release below: what the last piece of work wrote is seen.
    if (wanted <= 1 || in_use_.test_and_set(std::memory_order_acquire)) {
      return count == 0 ? 0 : chunk(0, count);
    }
    StartWorkers();
    const int32_t failure = Share(count, wanted, chunk);
    in_use_.clear(std::memory_order_release);
    return failure;
  }

 private:
  // Written before `call_` changes, and read only by the workers that it calls:
  // they have all ended when it is written again.
  struct Work {
    Chunk* chunk = nullptr;
    uint64_t count = 0;
    uint64_t chunk_size = 1;
    uint64_t floating_point_control = 0;
  };

  // A call says how many workers take part (those with lower numbers) in its
  // high half. Its low half, which the futex looks at, counts the calls.
  static uint32_t HelpersOf(uint64_t call) {
    return static_cast<uint32_t>(call >> 32);
  }

  // Changes `call_`. Sequentially consistent against `parked_`, so that no
  // worker parks unwoken; a release, so that workers see `work_`.
  void Announce(uint32_t helpers) {
    const auto count =
        static_cast<uint32_t>(call_.load(std::memory_order_relaxed)) + 1;
    call_.store(uint64_t{helpers} << 32 | count, std::memory_order_seq_cst);
  }

  void StartWorkers() {
    if (!workers_.empty()) return;
    // A signal of the program's belongs to the program's own threads.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uint32_t i = 0; i + 1 < thread_count_; ++i) {
      workers_.emplace_back([this, i] { Serve(i); });
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  int32_t Share(uint64_t count, uint32_t wanted, Chunk& chunk) {
    work_ = {.chunk = &chunk,
             .count = count,
             .chunk_size =
                 std::max<uint64_t>(1, count / (wanted * kChunksPerThread)),
             .floating_point_control = ReadFloatingPointControl()};
    next_.store(0, std::memory_order_relaxed);
    failure_.store(0, std::memory_order_relaxed);
    busy_.store(wanted - 1, std::memory_order_relaxed);
    Announce(wanted - 1);
    if (parked_.load(std::memory_order_seq_cst) != 0) {
      FutexWakeAll(call_);
    }
    TakeChunks();
    // Pairs with the release in Serve: what the workers wrote is seen.
    for (int spin = 0; busy_.load(std::memory_order_acquire) != 0; ++spin) {
      SpinPause();
      if (spin >= kSpins) std::this_thread::yield();
    }
    return failure_.load(std::memory_order_relaxed);
  }

  void TakeChunks() {
    while (failure_.load(std::memory_order_relaxed) == 0) {
      const uint64_t begin =
          next_.fetch_add(work_.chunk_size, std::memory_order_relaxed);
      if (begin >= work_.count) return;
      const uint64_t end =
          begin + std::min(work_.chunk_size, work_.count - begin);
      const int32_t failure = (*work_.chunk)(begin, end);
      if (failure != 0) failure_.store(failure, std::memory_order_relaxed);
    }
  }

  void Serve(uint32_t number) {
    // Pairs with the acquire in Start.
    running_.fetch_add(1, std::memory_order_release);
    uint64_t seen = 0;
    while (true) {
      seen = AwaitCall(seen);
      if (stopping_.load(std::memory_order_relaxed)) return;
      if (number >= HelpersOf(seen)) continue;
      WriteFloatingPointControl(work_.floating_point_control);
      TakeChunks();
      // Pairs with the acquire in Share.
      busy_.fetch_sub(1, std::memory_order_release);
    }
  }

  // Returns the call that is not `seen`.
  uint64_t AwaitCall(uint64_t seen) {
    for (int spin = 0; spin < kSpins; ++spin) {
      // Pairs with the store in Announce.
      const uint64_t call = call_.load(std::memory_order_acquire);
      if (call != seen) return call;
      SpinPause();
    }
    parked_.fetch_add(1, std::memory_order_seq_cst);
    while (call_.load(std::memory_order_seq_cst) == seen) {
      FutexWait(call_, seen);
    }
    parked_.fetch_sub(1, std::memory_order_relaxed);
    return call_.load(std::memory_order_acquire);
  }

  const uint32_t thread_count_;
  std::atomic_flag in_use_;  // Set while a piece of work is under way.
  std::vector<std::thread> workers_;
  Work work_;
  std::atomic<uint64_t> call_{0};
  std::atomic<uint32_t> running_{0};  // Workers that have begun.
  std::atomic<uint32_t> parked_{0};
  std::atomic<uint32_t> busy_{0};
  std::atomic<uint64_t> next_{0};
  std::atomic<int32_t> failure_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace

std::unique_ptr<ThreadPool> NewThreadPool(uint32_t thread_count) {
  return std::make_unique<SpinningThreadPool>(thread_count);
}

}  // namespace quern
