// Giving rings to threads and taking them away.
#include "server/executor/ring_threads.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace quern {
namespace {

// A sleep ends by a wake-up; the bound is for one that a client swallowed, by
// writing to the word that is slept on.
constexpr absl::Duration kSleepMax = absl::Seconds(10);

// Less than the daemon waits for an answer; and the daemon's end is noticed
// only by the thread that waits.
constexpr std::chrono::seconds kOpenWaitMax(2);

class SpinningRingThreads final : public RingThreads {
 public:
  SpinningRingThreads(uint32_t count, LaunchRunner& runner) : runner_(runner) {
    for (uint32_t i = 0; i < count; ++i) slots_.emplace_back();
    for (Slot& slot : slots_) {
      slot.thread = std::thread([this, &slot] { Serve(slot); });
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return running_ == count; });
  }

  ~SpinningRingThreads() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (Slot& slot : slots_) LetGo(slot);
    }
    changed_.notify_all();
    for (Slot& slot : slots_) slot.thread.join();
  }

  absl::Status Open(uint32_t id, RingExecutor ring) override {
    const auto limit = std::chrono::steady_clock::now() + kOpenWaitMax;
    std::unique_lock lock(mutex_);
    while (true) {
      bool one_will_end = false;
      for (Slot& slot : slots_) {
        if (!slot.ring) {
          slot.id = id;
          slot.closing.store(false, std::memory_order_relaxed);
          slot.ring.emplace(std::move(ring));
          changed_.notify_all();
          return absl::OkStatus();
        }
        one_will_end |= slot.closing.load(std::memory_order_relaxed);
      }
      if (!one_will_end) {
        return absl::ResourceExhaustedError("every thread has a ring");
      }
      if (std::chrono::steady_clock::now() >= limit) {
        return absl::ResourceExhaustedError("a closed ring runs a launch yet");
      }
      changed_.wait_until(lock, limit);
    }
  }

  void Close(uint32_t id) override {
    const std::lock_guard lock(mutex_);
    for (Slot& slot : slots_) {
      if (slot.ring && slot.id == id) LetGo(slot);
    }
  }

  void Synchronize() override {
    // Pairs with the release in ServeRing.
    for (const Slot& slot : slots_) slot.ended.load(std::memory_order_acquire);
  }

 private:
  struct Slot {
    std::thread thread;
    uint32_t id = 0;
    // Set and unset under the mutex; its thread uses it without.
    std::optional<RingExecutor> ring;
    std::atomic<bool> closing = false;
    std::atomic<uint64_t> ended = 0;  // Launches.
  };

  // Asks the slot's thread to end with its ring, under the mutex.
  static void LetGo(Slot& slot) {
    if (!slot.ring) return;
    slot.closing.store(true, std::memory_order_relaxed);
    slot.ring->Interrupt();
  }

  void Serve(Slot& slot) {
    {
      const std::lock_guard lock(mutex_);
      ++running_;
      changed_.notify_all();
    }
    while (true) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return stopping_ || slot.ring; });
        if (!slot.ring) return;
      }
      ServeRing(slot);
      const std::lock_guard lock(mutex_);
      slot.ring.reset();
      changed_.notify_all();
    }
  }

  void ServeRing(Slot& slot) {
    RingExecutor& ring = *slot.ring;
    uint64_t ended = slot.ended.load(std::memory_order_relaxed);
    while (!slot.closing.load(std::memory_order_relaxed)) {
      const quern_ring_submission* launch = ring.Take();
      if (launch == nullptr) {
        ring.Await(kSleepMax, slot.closing);
        continue;
      }
      ring.Begin();
      const RingResult result = runner_.Run(*launch);
      // Pairs with the acquire in Synchronize.
      slot.ended.store(++ended, std::memory_order_release);
      ring.Complete(result);
    }
  }

  LaunchRunner& runner_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  uint32_t running_ = 0;    // Threads that have begun.
  std::deque<Slot> slots_;  // Its elements do not move.
};

}  // namespace

std::unique_ptr<RingThreads> StartRingThreads(uint32_t count,
                                              LaunchRunner& runner) {
  return std::make_unique<SpinningRingThreads>(count, runner);
}

}  // namespace quern
