// Threads that work, and one that watches them.
#include "server/core/patient_threads.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"

namespace quern {
namespace {

// Not the daemon's clock: that may be set.
using SteadyTime = std::chrono::steady_clock::time_point;

struct Job {
  std::function<PatientThreads::Answer()> work;
  std::function<void(const absl::Status&)> late;
  SteadyTime deadline;
  bool begun = false;
  bool settled = false;  // Answered or late.
};

class WatchedThreads final : public PatientThreads {
 public:
  explicit WatchedThreads(const PatientThreadsOptions& options)
      : options_(options),
        patience_(absl::ToChronoNanoseconds(options.patience)),
        watcher_([this] { Watch(); }) {
    for (uint32_t i = 0; i < options.threads; ++i) {
      threads_.emplace_back([this] { Work(); });
    }
  }

  ~WatchedThreads() override { Stop(); }

  void Stop() override {
    std::deque<std::shared_ptr<Job>> never;
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
      never.swap(waiting_);
      std::erase_if(never, [](const auto& job) { return !Settle(*job); });
      given_.notify_all();
      watched_.notify_all();
    }
    for (const auto& job : never) job->late(GivenUp());
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    if (watcher_.joinable()) watcher_.join();
  }

  void Run(std::function<Answer()> work,
           std::function<void(const absl::Status&)> late) override {
    {
      std::lock_guard lock(mutex_);
      if (!ending_ && stuck_ < options_.threads &&
          waiting_.size() < options_.waiting_max) {
        auto job = std::make_shared<Job>();
        job->work = std::move(work);
        job->late = std::move(late);
        job->deadline = std::chrono::steady_clock::now() + patience_;
        waiting_.push_back(job);
        unsettled_.push_back(std::move(job));
        given_.notify_one();
        if (watcher_sleeps_) watched_.notify_one();
        return;
      }
      ++late_;
    }
    late(GivenUp());
  }

  uint64_t late() override {
    std::lock_guard lock(mutex_);
    return late_;
  }

 private:
  static absl::Status GivenUp() {
    return absl::UnavailableError("the disk does not answer in time");
  }

  // Whether the caller is the one to answer.
  static bool Settle(Job& job) { return !std::exchange(job.settled, true); }

  void Work() {
    std::unique_lock lock(mutex_);
    while (true) {
      given_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const std::shared_ptr<Job> job = std::move(waiting_.front());
      waiting_.pop_front();
      if (job->settled) continue;
      job->begun = true;
      lock.unlock();
      const Answer answer = job->work();
      lock.lock();
      if (!Settle(*job)) {
        --stuck_;
        continue;
      }
      lock.unlock();
      answer();
      lock.lock();
    }
  }

  // Looks at the jobs four times within the patience, while there are any. So
  // a stream of jobs wakes it four times, and not with each.
  void Watch() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      while (!unsettled_.empty() && unsettled_.front()->settled) {
        unsettled_.pop_front();
      }
      const std::vector<std::shared_ptr<Job>> late = TakeLate();
      if (!late.empty()) {
        lock.unlock();
        for (const auto& job : late) job->late(GivenUp());
        lock.lock();
        continue;
      }
      watcher_sleeps_ = unsettled_.empty();
      if (watcher_sleeps_) {
        watched_.wait(lock, [this] { return ending_ || !unsettled_.empty(); });
        watcher_sleeps_ = false;
      }
      watched_.wait_for(lock, patience_ / 4, [this] { return ending_; });
    }
  }

  std::vector<std::shared_ptr<Job>> TakeLate()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::vector<std::shared_ptr<Job>> result;
    const SteadyTime now = std::chrono::steady_clock::now();
    while (!unsettled_.empty() && unsettled_.front()->deadline <= now) {
      std::shared_ptr<Job> job = std::move(unsettled_.front());
      unsettled_.pop_front();
      if (!Settle(*job)) continue;
      ++late_;
      if (job->begun) ++stuck_;
      result.push_back(std::move(job));
    }
    return result;
  }

  const PatientThreadsOptions options_;
  const std::chrono::nanoseconds patience_;
  std::mutex mutex_;
  std::condition_variable given_;    // To a thread: there is a job.
  std::condition_variable watched_;  // To the watcher: likewise.
  std::deque<std::shared_ptr<Job>> waiting_ ABSL_GUARDED_BY(mutex_);
  // In the order of their deadlines; settled ones linger.
  std::deque<std::shared_ptr<Job>> unsettled_ ABSL_GUARDED_BY(mutex_);
  uint32_t stuck_ ABSL_GUARDED_BY(mutex_) = 0;  // Threads at a late job.
  uint64_t late_ ABSL_GUARDED_BY(mutex_) = 0;
  bool watcher_sleeps_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread watcher_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<PatientThreads> NewPatientThreads(
    const PatientThreadsOptions& options) {
  return std::make_unique<WatchedThreads>(options);
}

}  // namespace quern
