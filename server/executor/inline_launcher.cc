// A fair queue, a few threads, and executors kept warm between launches.
#include "server/executor/inline_launcher.h"

#include <atomic>
#include <condition_variable>
#include <iterator>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "proto/wire/status.h"
#include "server/executor/inline_session.h"

namespace quern {
namespace {

struct Job {
  SessionId session;
  absl::Time deadline;
  InlineLaunch launch;
  uint64_t tensor_bytes = 0;
  InlineLauncher::Done done;
  std::atomic<bool> cancelled = false;
};

struct IdleSession {
  SessionId owner;
  std::unique_ptr<InlineSession> session;
  absl::Time since;
};

class ThreadedInlineLauncher final : public InlineLauncher {
 public:
  ThreadedInlineLauncher(const InlineLauncherOptions& options, AttachFn attach,
                         Clock& clock)
      : options_(options),
        attach_(std::move(attach)),
        clock_(clock),
        queue_(NewAdmissionQueue(options.queue)) {
    for (uint32_t i = 0; i < options.threads; ++i) {
      threads_.emplace_back([this] { Run(); });
    }
  }

  ~ThreadedInlineLauncher() override { Stop(); }

  void Launch(uint64_t call, const SessionId& session, absl::Time deadline,
              InlineLaunch launch, Done done) override {
    const absl::Status status =
        Push(call, session, deadline, std::move(launch), done);
    if (!status.ok()) done(status);
  }

  void Cancel(uint64_t call) override {
    std::shared_ptr<Job> job;
    {
      const std::lock_guard lock(mutex_);
      const auto found = jobs_.find(call);
      if (found == jobs_.end()) return;
      found->second->cancelled = true;
      if (!queue_->Remove(call)) return;  // Its thread sees it.
      job = TakeJob(call);
    }
    Finish(*job, absl::CancelledError("the call was cancelled"));
  }

  void Drain() override {
    std::vector<std::shared_ptr<Job>> queued;
    {
      const std::lock_guard lock(mutex_);
      draining_ = true;
      for (auto job = jobs_.begin(); job != jobs_.end();) {
        const auto next = std::next(job);
        if (queue_->Remove(job->first)) queued.push_back(TakeJob(job->first));
        job = next;
      }
    }
    for (const auto& job : queued) Finish(*job, ShuttingDown());
  }

  void Stop() override {
    Drain();
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      for (const auto& [call, job] : jobs_) job->cancelled = true;
      wake_.notify_all();
    }
    std::call_once(joined_, [this] {
      for (std::thread& thread : threads_) thread.join();
    });
  }

  InlineLauncherStats GetStats() override {
    const std::lock_guard lock(mutex_);
    InlineLauncherStats stats = stats_;
    stats.queued = queue_->size();
    return stats;
  }

 private:
  static absl::Status ShuttingDown() {
    return absl::UnavailableError("the daemon is shutting down");
  }

  absl::Status Push(uint64_t call, const SessionId& session,
                    absl::Time deadline, InlineLaunch launch, Done done) {
    auto job = std::make_shared<Job>();
    job->session = session;
    job->deadline = deadline;
    job->launch = std::move(launch);
    for (const InlineArgument& argument : job->launch.arguments) {
      job->tensor_bytes += argument.tensor.size_bytes;
    }
    job->done = std::move(done);
    const std::lock_guard lock(mutex_);
    if (draining_) return ShuttingDown();
    if (job->tensor_bytes > options_.tensor_bytes_max - tensor_bytes_) {
      return absl::ResourceExhaustedError(
          "the tensors of the launches that wait are too large already");
    }
    const absl::Status status =
        queue_->Push(session, call, std::make_shared<Deadline>(deadline));
    if (!status.ok()) return status;
    tensor_bytes_ += job->tensor_bytes;
    jobs_.emplace(call, std::move(job));
    changed_ = true;
    wake_.notify_one();
    return absl::OkStatus();
  }

  // What a thread has to do next.
  struct Work {
    bool stop = false;
    std::optional<uint64_t> call;
    std::shared_ptr<Job> job;
    std::vector<std::shared_ptr<Job>> expired;
    std::list<IdleSession> stale;
  };

  // Of each thread.
  void Run() {
    while (true) {
      Work work = Await();
      if (work.stop) return;
      work.stale.clear();
      for (const auto& late : work.expired) {
        Finish(*late,
               absl::DeadlineExceededError("the call's deadline has passed"));
      }
      if (work.call) Do(*work.call, *work.job);
    }
  }

  // Waits until something has changed, or sessions may have become stale.
  Work Await() {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, absl::ToChronoMilliseconds(options_.idle_timeout),
                   [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
                     return stopping_ || changed_;
                   });
    Work work;
    work.stop = stopping_;
    if (stopping_) return work;
    const AdmittedJob next = queue_->Pop(clock_.Now(), busy_);
    for (const uint64_t late : next.expired) {
      work.expired.push_back(TakeJob(late));
    }
    work.call = next.job;
    if (next.job) {
      work.job = jobs_.at(*next.job);
      busy_.insert(work.job->session);
    }
    // Where one job was there may be more.
    changed_ = next.job.has_value();
    if (changed_) wake_.notify_one();
    work.stale = TakeStale();
    return work;
  }

  std::shared_ptr<Job> TakeJob(uint64_t call)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = jobs_.find(call);
    std::shared_ptr<Job> job = std::move(found->second);
    jobs_.erase(found);
    tensor_bytes_ -= job->tensor_bytes;
    return job;
  }

  // Sessions that have been idle for too long.
  std::list<IdleSession> TakeStale() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::list<IdleSession> stale;
    const absl::Time limit = clock_.Now() - options_.idle_timeout;
    while (!idle_.empty() &&
           (idle_.size() > options_.idle_max || idle_.front().since <= limit)) {
      stale.splice(stale.end(), idle_, idle_.begin());
    }
    return stale;
  }

  void Do(uint64_t call, Job& job) {
    absl::StatusOr<InlineResult> result = Launch(job);
    {
      const std::lock_guard lock(mutex_);
      TakeJob(call);
      busy_.erase(job.session);
      changed_ = true;  // Another launch of the session may run now.
      wake_.notify_one();
      if (stopping_ && absl::IsCancelled(result.status())) {
        result = ShuttingDown();
      }
    }
    Finish(job, std::move(result));
  }

  absl::StatusOr<InlineResult> Launch(const Job& job) {
    std::unique_ptr<InlineSession> session = TakeIdle(job.session);
    while (session != nullptr && !session->Usable()) {
      session = TakeIdle(job.session);
    }
    if (session == nullptr) {
      QUERN_ASSIGN_OR_RETURN(UniqueFd socket, attach_());
      QUERN_ASSIGN_OR_RETURN(session, InlineSession::Open(std::move(socket)));
    }
    absl::StatusOr<InlineResult> result =
        session->Run(job.launch, job.deadline, clock_, job.cancelled);
    if (session->Usable()) GiveBack(job.session, std::move(session));
    return result;
  }

  std::unique_ptr<InlineSession> TakeIdle(const SessionId& owner) {
    const std::lock_guard lock(mutex_);
    for (auto idle = idle_.begin(); idle != idle_.end(); ++idle) {
      if (idle->owner != owner) continue;
      std::unique_ptr<InlineSession> session = std::move(idle->session);
      idle_.erase(idle);
      return session;
    }
    return nullptr;
  }

  void GiveBack(const SessionId& owner,
                std::unique_ptr<InlineSession> session) {
    std::list<IdleSession> stale;
    const std::lock_guard lock(mutex_);
    idle_.push_back({owner, std::move(session), clock_.Now()});
    stale = TakeStale();
  }

  void Finish(Job& job, absl::StatusOr<InlineResult> result) {
    {
      const std::lock_guard lock(mutex_);
      ++stats_.launches;
      if (!result.ok()) ++stats_.failures;
    }
    job.done(std::move(result));
  }

  const InlineLauncherOptions options_;
  const AttachFn attach_;
  Clock& clock_;
  std::once_flag joined_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool changed_ ABSL_GUARDED_BY(mutex_) = false;  // For the threads to look.
  std::set<SessionId> busy_ ABSL_GUARDED_BY(mutex_);   // With a launch running.
  uint64_t tensor_bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // Of `jobs_`.
  const std::unique_ptr<AdmissionQueue> queue_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, std::shared_ptr<Job>> jobs_ ABSL_GUARDED_BY(mutex_);
  // The longest idle first.
  std::list<IdleSession> idle_ ABSL_GUARDED_BY(mutex_);
  InlineLauncherStats stats_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<InlineLauncher> NewInlineLauncher(
    const InlineLauncherOptions& options, AttachFn attach, Clock& clock) {
  return std::make_unique<ThreadedInlineLauncher>(options, std::move(attach),
                                                  clock);
}

}  // namespace quern
