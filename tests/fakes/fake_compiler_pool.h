// A pool whose jobs end when a test says so, with what it says.
#ifndef QUERN_TESTS_FAKES_FAKE_COMPILER_POOL_H_
#define QUERN_TESTS_FAKES_FAKE_COMPILER_POOL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/core/compiler_pool.h"
#include "tests/fakes/fake_image.h"

namespace quern {

class FakeCompilerPool final : public CompilerPool {
 public:
  uint64_t Start(CompileJob job, std::shared_ptr<const Deadline> deadline,
                 Done done) override {
    std::lock_guard lock(mutex_);
    ++last_;
    running_[last_] = {std::move(job), std::move(deadline), std::move(done)};
    return last_;
  }

  void Cancel(uint64_t ticket) override {
    std::lock_guard lock(mutex_);
    cancelled_.push_back(ticket);
  }

  CompilerPoolStats GetStats() override { return {}; }

  bool Responds() override { return true; }

  // Tickets count from 1.
  void Finish(uint64_t ticket, CompileOutcome outcome) {
    Done done;
    {
      std::lock_guard lock(mutex_);
      done = std::move(running_.at(ticket).done);
      running_.erase(ticket);
    }
    done(std::move(outcome));
  }

  void Fail(uint64_t ticket, absl::Status status, bool deadly = false) {
    CompileOutcome outcome;
    outcome.status = std::move(status);
    outcome.source_is_deadly = deadly;
    Finish(ticket, std::move(outcome));
  }

  // Ends the job with the image that it asks for.
  void Succeed(uint64_t ticket) {
    CompileOutcome outcome;
    outcome.bytes = FakeImage(JobOf(ticket).key, "kernel", FakeHostMachine());
    Finish(ticket, std::move(outcome));
  }

  CompileJob JobOf(uint64_t ticket) {
    std::lock_guard lock(mutex_);
    return running_.at(ticket).job;
  }

  absl::Time DeadlineOf(uint64_t ticket) {
    std::lock_guard lock(mutex_);
    return running_.at(ticket).deadline->time();
  }

  // How many jobs were started, ever and still running.
  uint64_t started() {
    std::lock_guard lock(mutex_);
    return last_;
  }
  uint64_t running() {
    std::lock_guard lock(mutex_);
    return running_.size();
  }
  std::vector<uint64_t> cancelled() {
    std::lock_guard lock(mutex_);
    return cancelled_;
  }

 private:
  struct Running {
    CompileJob job;
    std::shared_ptr<const Deadline> deadline;
    Done done;
  };

  std::mutex mutex_;
  uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Running> running_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> cancelled_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace quern

#endif  // QUERN_TESTS_FAKES_FAKE_COMPILER_POOL_H_
