// The dispatcher: an admission queue before a pool.
#include "server/core/dispatcher.h"

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"

namespace quern {
namespace {

CompileOutcome Ended(absl::Status status) {
  CompileOutcome outcome;
  outcome.status = std::move(status);
  return outcome;
}

class QueueingDispatcher final : public Dispatcher {
 public:
  QueueingDispatcher(std::unique_ptr<AdmissionQueue> queue, CompilerPool& pool,
                     uint32_t running_max, Clock& clock)
      : pool_(pool),
        running_max_(running_max),
        clock_(clock),
        queue_(std::move(queue)) {}

  absl::Status Submit(uint64_t number, const SessionId& session, CompileJob job,
                      std::shared_ptr<const Deadline> deadline,
                      CompilerPool::Done done) override {
    std::vector<CompilerPool::Done> expired;
    {
      std::lock_guard lock(mutex_);
      const absl::Status status = queue_->Push(session, number, deadline);
      if (!status.ok()) return status;
      waiting_.emplace(number, Waiting{.job = std::move(job),
                                       .deadline = std::move(deadline),
                                       .done = std::move(done),
                                       .queued_at = clock_.Now()});
      expired = StartNext();
    }
    Expire(expired);
    return absl::OkStatus();
  }

  void Join(uint64_t number, const SessionId& session) override {
    std::lock_guard lock(mutex_);
    queue_->Join(session, number);
  }

  void Leave(uint64_t number, const SessionId& session) override {
    std::lock_guard lock(mutex_);
    queue_->Leave(session, number);
  }

  void Cancel(uint64_t number) override {
    CompilerPool::Done done;
    {
      std::lock_guard lock(mutex_);
      if (const auto running = running_.find(number);
          running != running_.end()) {
        pool_.Cancel(running->second);
        return;
      }
      if (!queue_->Remove(number)) return;
      done = TakeDone(number);
    }
    done(Ended(absl::CancelledError("the call was cancelled")));
  }

  DispatcherStats GetStats() override {
    std::lock_guard lock(mutex_);
    return {.queued = queue_->size(), .running = running_.size()};
  }

 private:
  struct Waiting {
    CompileJob job;
    std::shared_ptr<const Deadline> deadline;
    CompilerPool::Done done;
    absl::Time queued_at;
  };

  static void Expire(const std::vector<CompilerPool::Done>& expired) {
    for (const CompilerPool::Done& done : expired) {
      done(Ended(absl::DeadlineExceededError(
          "the deadline passed before the compile's turn came")));
    }
  }

  CompilerPool::Done TakeDone(uint64_t number)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = waiting_.find(number);
    CompilerPool::Done done = std::move(found->second.done);
    waiting_.erase(found);
    return done;
  }

  // Starts jobs while there is room. Returns the callbacks of those that are
  // too late, to be called without the lock.
  std::vector<CompilerPool::Done> StartNext()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::vector<CompilerPool::Done> expired;
    while (running_.size() < running_max_) {
      const absl::Time now = clock_.Now();
      const AdmittedJob next = queue_->Pop(now, {});
      for (const uint64_t job : next.expired) expired.push_back(TakeDone(job));
      if (!next.job) break;
      Start(*next.job, now);
    }
    return expired;
  }

  void Start(uint64_t number, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = waiting_.find(number);
    Waiting waiting = std::move(found->second);
    waiting_.erase(found);
    // The pool does not call back from Start, so the lock may be held.
    running_[number] =
        pool_.Start(std::move(waiting.job), std::move(waiting.deadline),
                    [this, number, queued = now - waiting.queued_at,
                     done = std::move(waiting.done)](CompileOutcome outcome) {
                      outcome.timings.queue += queued;
                      Finish(number, done, std::move(outcome));
                    });
  }

  void Finish(uint64_t number, const CompilerPool::Done& done,
              CompileOutcome outcome) {
    std::vector<CompilerPool::Done> expired;
    {
      std::lock_guard lock(mutex_);
      running_.erase(number);
      expired = StartNext();
    }
    Expire(expired);
    done(std::move(outcome));
  }

  CompilerPool& pool_;
  const uint32_t running_max_;
  Clock& clock_;
  std::mutex mutex_;
  const std::unique_ptr<AdmissionQueue> queue_ ABSL_PT_GUARDED_BY(mutex_);
  std::map<uint64_t, Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  // The pool's ticket of each running job.
  std::map<uint64_t, uint64_t> running_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Dispatcher> NewDispatcher(std::unique_ptr<AdmissionQueue> queue,
                                          CompilerPool& pool,
                                          uint32_t running_max, Clock& clock) {
  return std::make_unique<QueueingDispatcher>(std::move(queue), pool,
                                              running_max, clock);
}

}  // namespace quern
