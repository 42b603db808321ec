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

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/runtime/floating_point_control.h"

namespace quern {
namespace {

// About 50 us: longer than the time between two launches of a busy model.
constexpr int kSpins = 2000;

// Pieces a thread on average, so that unequal cores end at about one time.
constexpr uint64_t kChunksPerThread = 16;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("isb");
#endif
}

void FutexWait(std::atomic<uint32_t>& word, uint32_t value) {
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

void FutexWake(std::atomic<uint32_t>& word, int count) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

class SpinningThreadPool final : public ThreadPool {
 public:
  explicit SpinningThreadPool(uint32_t thread_count)
      : thread_count_(std::max(thread_count, 1u)) {}

  ~SpinningThreadPool() override {
    stopping_.store(true, std::memory_order_relaxed);
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    FutexWake(epoch_, INT32_MAX);
    for (std::thread& worker : workers_) worker.join();
  }

  uint32_t thread_count() const override { return thread_count_; }

  int32_t Run(uint64_t count, uint32_t threads, Chunk chunk) override {
    const uint32_t wanted = static_cast<uint32_t>(std::min<uint64_t>(
        threads == 0 ? thread_count_ : std::min(threads, thread_count_),
        count));
    if (wanted <= 1 || !mutex_.TryLock()) {
      return count == 0 ? 0 : chunk(0, count);
    }
    StartWorkers();
    const int32_t failure = Share(count, wanted, chunk);
    mutex_.Unlock();
    return failure;
  }

 private:
  // Written before `epoch_` rises, read by workers after they saw it rise.
  struct Work {
    Chunk* chunk = nullptr;
    uint64_t count = 0;
    uint64_t chunk_size = 1;
    uint64_t floating_point_control = 0;
    uint32_t helpers = 0;  // Workers with a lower number take part.
  };

  void StartWorkers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
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

  int32_t Share(uint64_t count, uint32_t wanted, Chunk& chunk)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    work_ = {.chunk = &chunk,
             .count = count,
             .chunk_size =
                 std::max<uint64_t>(1, count / (wanted * kChunksPerThread)),
             .floating_point_control = ReadFloatingPointControl(),
             .helpers = wanted - 1};
    next_.store(0, std::memory_order_relaxed);
    failure_.store(0, std::memory_order_relaxed);
    busy_.store(static_cast<uint32_t>(workers_.size()),
                std::memory_order_relaxed);
    // Pairs with the acquire in AwaitWork: workers see `work_`. Sequentially
    // consistent against `parked_`, so that no worker parks unwoken.
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    if (parked_.load(std::memory_order_seq_cst) != 0) {
      FutexWake(epoch_, INT32_MAX);
    }
    TakeChunks();
    // Pairs with the release in Serve: what the workers wrote is seen.
    for (int spin = 0; busy_.load(std::memory_order_acquire) != 0; ++spin) {
      Pause();
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
    uint32_t seen = 0;
    while (true) {
      seen = AwaitWork(seen);
      if (stopping_.load(std::memory_order_relaxed)) return;
      if (number < work_.helpers) {
        WriteFloatingPointControl(work_.floating_point_control);
        TakeChunks();
      }
      // Pairs with the acquire in Share.
      busy_.fetch_sub(1, std::memory_order_release);
    }
  }

  // Returns the number of the work that is not `seen`.
  uint32_t AwaitWork(uint32_t seen) {
    for (int spin = 0; spin < kSpins; ++spin) {
      // Pairs with the increment in Share.
      const uint32_t epoch = epoch_.load(std::memory_order_acquire);
      if (epoch != seen) return epoch;
      Pause();
    }
    parked_.fetch_add(1, std::memory_order_seq_cst);
    while (epoch_.load(std::memory_order_seq_cst) == seen) {
      FutexWait(epoch_, seen);
    }
    parked_.fetch_sub(1, std::memory_order_relaxed);
    return epoch_.load(std::memory_order_acquire);
  }

  const uint32_t thread_count_;
  absl::Mutex mutex_;  // Held while a piece of work is under way.
  std::vector<std::thread> workers_;
  Work work_;
  std::atomic<uint32_t> epoch_{0};
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
