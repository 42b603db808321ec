// What the pool's thread knows: zygotes, children, and jobs that wait.
//
// Not thread-safe: the pool's thread alone touches it. Nothing in it blocks.
#ifndef QUERN_SERVER_WORKERS_POOL_STATE_H_
#define QUERN_SERVER_WORKERS_POOL_STATE_H_

#include <poll.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/core/clock.h"
#include "server/core/compiler_pool.h"
#include "server/core/deadline.h"
#include "server/core/logger.h"
#include "server/sandbox/outcome.h"
#include "server/workers/child_connection.h"
#include "server/workers/pool_counters.h"
#include "server/workers/worker_pool.h"
#include "server/workers/zygote_process.h"

namespace quern {

struct PoolJob {
  uint64_t ticket = 0;
  CompileJob job;
  std::shared_ptr<const Deadline> deadline;
  CompilerPool::Done done;
  absl::Time accepted;
  uint32_t attempts = 0;
  // How often it was given to a child that was killed before it read it.
  uint32_t unread = 0;
};

class PoolState final {
 public:
  // The references must outlive the state.
  PoolState(const WorkerPoolOptions& options, WorkerPoolEvents events,
            ZygoteStarter& starter, Clock& clock, Logger& logger,
            PoolCounters& counters);

  void Add(PoolJob job);
  void Cancel(uint64_t ticket);

  // Takes in what has come from zygotes and children, and does what is due:
  // ends what is late, starts what is missing, hands out jobs.
  void Advance();

  // What to wait for before the next Advance, and until when.
  std::vector<pollfd> Waits() const;
  absl::Time WakeAt() const;

  // Ends every job with Cancelled and every process.
  void Shutdown();

 private:
  enum class Phase { kWarming, kReady, kBusy, kEnding };

  struct Zygote {
    std::unique_ptr<ZygoteProcess> process;
    std::optional<CompilerIdentity> identity;  // None before its hello.
    absl::Time hello_limit;
    uint32_t crashes = 0;
  };

  struct Child {
    uint64_t zygote = 0;
    std::unique_ptr<ChildConnection> connection;
    UniqueFd pidfd;  // Invalid until the zygote has reported it.
    Phase phase = Phase::kWarming;
    bool closed = false;  // It has closed its end.
    bool killed = false;  // By us.
    absl::Time limit;     // Of the phase: warming or busy.
    absl::Time job_began;
    std::optional<PoolJob> job;
  };

  // Zygotes (pool_zygotes.cc).
  void StartZygote(absl::Time now);
  void PumpZygote(uint64_t id);
  void OnHello(uint64_t id, ZygoteHello hello);
  void OnForked(ChildForked forked);
  void OnExited(const ChildExited& exited);
  void LoseZygote(uint64_t id, const absl::Status& reason);
  void LoseChild(uint64_t id);
  void LoseJob(Child& child, Outcome outcome);
  void CountCrash(uint64_t zygote);
  void DropRetiredZygotes();
  void MakeUnavailable(const absl::Status& reason);
  void Fail(const absl::Status& reason, uint32_t& failures);
  bool OpenForForks(absl::Time now) const;

  // Children (pool_state.cc).
  void PumpChild(Child& child);
  void OnMessage(Child& child, const std::string& message);
  void OnReady(Child& child);
  void Reject(Child& child);
  void CountDeath(Outcome outcome);
  void Kill(Child& child);
  void Finish(Child& child, CompileOutcome outcome);
  void Expire(absl::Time now);
  void ExpireWaiting(absl::Time now);
  void Assign(absl::Time now);
  void Refill(absl::Time now);
  absl::Status ForkChild(absl::Time now);

  const WorkerPoolOptions options_;
  const WorkerPoolEvents events_;
  ZygoteStarter& starter_;
  Clock& clock_;
  Logger& logger_;
  PoolCounters& counters_;

  std::map<uint64_t, Zygote> zygotes_;
  uint64_t current_ = 0;  // The zygote that forks; 0: none.
  std::map<uint64_t, Child> children_;
  std::deque<PoolJob> waiting_;
  uint64_t last_id_ = 0;  // Of zygotes and children.

  // In a row, of zygotes and of children before they were ready.
  uint32_t zygote_failures_ = 0;
  uint32_t child_failures_ = 0;
  absl::Time retry_at_ = absl::InfinitePast();
  // Set while there is no compiler: why.
  std::optional<absl::Status> unavailable_;
  // This compiler must not be used, whatever is tried.
  bool unusable_ = false;
  bool started_once_ = false;
};

}  // namespace quern

#endif  // QUERN_SERVER_WORKERS_POOL_STATE_H_
