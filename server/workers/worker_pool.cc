// The pool's thread and its inbox.
#include "server/workers/worker_pool.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "proto/wire/status.h"
#include "proto/wire/unique_fd.h"
#include "server/core/loop_pulse.h"
#include "server/workers/pool_counters.h"
#include "server/workers/pool_state.h"

namespace quern {
namespace {

// The milliseconds that poll waits until `wake`, rounded up; -1: forever.
int PollTimeout(absl::Time wake, absl::Time now) {
  if (wake == absl::InfiniteFuture()) return -1;
  const absl::Duration wait =
      std::clamp(wake - now, absl::ZeroDuration(), absl::Hours(1));
  return static_cast<int>(absl::ToInt64Milliseconds(
      wait + absl::Milliseconds(1) - absl::Nanoseconds(1)));
}

class ThreadedWorkerPool final : public CompilerPool {
 public:
  ThreadedWorkerPool(const WorkerPoolOptions& options, WorkerPoolEvents events,
                     ZygoteStarter& starter, Clock& clock, Logger& logger,
                     UniqueFd wake)
      : clock_(clock),
        wake_(std::move(wake)),
        state_(options, std::move(events), starter, clock, logger, counters_),
        thread_([this] { Run(); }) {}

  ~ThreadedWorkerPool() override {
    {
      std::lock_guard lock(mutex_);
      inbox_.stop = true;
    }
    Wake();
    thread_.join();
  }

  uint64_t Start(CompileJob job, std::shared_ptr<const Deadline> deadline,
                 Done done) override {
    uint64_t ticket;
    {
      std::lock_guard lock(mutex_);
      ticket = ++last_ticket_;
      inbox_.jobs.push_back({.ticket = ticket,
                             .job = std::move(job),
                             .deadline = std::move(deadline),
                             .done = std::move(done),
                             .accepted = clock_.Now(),
                             .attempts = 0});
    }
    Wake();
    return ticket;
  }

  void Cancel(uint64_t ticket) override {
    {
      std::lock_guard lock(mutex_);
      inbox_.cancels.push_back(ticket);
    }
    Wake();
  }

  CompilerPoolStats GetStats() override { return counters_.Get(); }

  bool Responds() override {
    const bool turned = pulse_.Turned();
    Wake();
    return turned;
  }

 private:
  struct Inbox {
    std::vector<PoolJob> jobs;
    std::vector<uint64_t> cancels;
    bool stop = false;
  };

  void Wake() {
    // A full counter is a wake-up that is still to come.
    if (::eventfd_write(wake_.get(), 1) != 0) return;
  }

  Inbox TakeInbox() {
    eventfd_t count;
    if (::eventfd_read(wake_.get(), &count) != 0) count = 0;
    std::lock_guard lock(mutex_);
    return std::exchange(inbox_, Inbox());
  }

  // Takes in what others asked for. False: to stop.
  bool HandleInbox() {
    Inbox inbox = TakeInbox();
    for (PoolJob& job : inbox.jobs) state_.Add(std::move(job));
    for (const uint64_t ticket : inbox.cancels) state_.Cancel(ticket);
    return !inbox.stop;
  }

  // Takes in jobs that came after the stop. False: there are none.
  bool TakeLateJobs() {
    Inbox inbox = TakeInbox();
    for (PoolJob& job : inbox.jobs) state_.Add(std::move(job));
    return !inbox.jobs.empty();
  }

  void Run() {
    while (HandleInbox()) {
      pulse_.Turn();
      state_.Advance();
      std::vector<pollfd> waits = state_.Waits();
      waits.push_back({.fd = wake_.get(), .events = POLLIN, .revents = 0});
      // An interrupted wait only makes one more round.
      ::poll(waits.data(), waits.size(),
             PollTimeout(state_.WakeAt(), clock_.Now()));
    }
    // The end of a job may bring the next, which is answered like it.
    do {
      state_.Shutdown();
    } while (TakeLateJobs());
  }

  Clock& clock_;
  const UniqueFd wake_;
  LoopPulse pulse_;
  PoolCounters counters_;
  std::mutex mutex_;
  Inbox inbox_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_ticket_ ABSL_GUARDED_BY(mutex_) = 0;
  PoolState state_;  // Of the thread.
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<CompilerPool>> StartWorkerPool(
    const WorkerPoolOptions& options, WorkerPoolEvents events,
    ZygoteStarter& starter, Clock& clock, Logger& logger) {
  UniqueFd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return ErrnoStatus(errno, "eventfd");
  return std::make_unique<ThreadedWorkerPool>(
      options, std::move(events), starter, clock, logger, std::move(wake));
}

}  // namespace quern
