// Children and jobs.
#include "server/workers/pool_state.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/status.h"
#include "server/workers/deaths.h"
#include "server/workers/job_messages.h"

namespace quern {
namespace {

CompileOutcome Ended(absl::Status status, bool source_is_deadly = false) {
  CompileOutcome outcome;
  outcome.status = std::move(status);
  outcome.source_is_deadly = source_is_deadly;
  return outcome;
}

}  // namespace

PoolState::PoolState(const WorkerPoolOptions& options, WorkerPoolEvents events,
                     ZygoteStarter& starter, Clock& clock, Logger& logger,
                     PoolCounters& counters)
    : options_(options),
      events_(std::move(events)),
      starter_(starter),
      clock_(clock),
      logger_(logger),
      counters_(counters) {}

void PoolState::Add(PoolJob job) {
  if (unavailable_) {
    job.done(Ended(*unavailable_));
    return;
  }
  waiting_.push_back(std::move(job));
}

void PoolState::Cancel(uint64_t ticket) {
  const absl::Status cancelled = absl::CancelledError("the call was cancelled");
  const auto waiting = std::find_if(
      waiting_.begin(), waiting_.end(),
      [ticket](const PoolJob& job) { return job.ticket == ticket; });
  if (waiting != waiting_.end()) {
    const PoolJob job = std::move(*waiting);
    waiting_.erase(waiting);
    job.done(Ended(cancelled));
    return;
  }
  for (auto& [id, child] : children_) {
    if (!child.job || child.job->ticket != ticket) continue;
    Kill(child);
    Finish(child, Ended(cancelled));
    return;
  }
}

void PoolState::Advance() {
  std::vector<uint64_t> zygotes;
  for (const auto& [id, zygote] : zygotes_) zygotes.push_back(id);
  for (const uint64_t id : zygotes) PumpZygote(id);
  for (auto& [id, child] : children_) PumpChild(child);
  const absl::Time now = clock_.Now();
  Expire(now);
  DropRetiredZygotes();
  if (current_ == 0 && !unusable_ && now >= retry_at_) StartZygote(now);
  Assign(now);
  Refill(now);
}

std::vector<pollfd> PoolState::Waits() const {
  std::vector<pollfd> waits;
  for (const auto& [id, zygote] : zygotes_) {
    waits.push_back(
        {.fd = zygote.process->fd(), .events = POLLIN, .revents = 0});
  }
  for (const auto& [id, child] : children_) {
    if (child.closed) continue;
    const bool writes = child.connection->wants_write();
    waits.push_back(
        {.fd = child.connection->fd(),
         .events = static_cast<short>(POLLIN | (writes ? POLLOUT : 0)),
         .revents = 0});
  }
  return waits;
}

absl::Time PoolState::WakeAt() const {
  absl::Time wake = absl::InfiniteFuture();
  for (const auto& [id, zygote] : zygotes_) {
    if (!zygote.identity) wake = std::min(wake, zygote.hello_limit);
  }
  for (const auto& [id, child] : children_) {
    if (child.phase == Phase::kWarming || child.phase == Phase::kBusy) {
      wake = std::min(wake, child.limit);
    }
    if (child.job) wake = std::min(wake, child.job->deadline->time());
  }
  for (const PoolJob& job : waiting_) {
    wake = std::min(wake, job.deadline->time());
  }
  // Not before that is anything started that failed before.
  if (!unusable_ && retry_at_ > clock_.Now()) wake = std::min(wake, retry_at_);
  return wake;
}

void PoolState::Shutdown() {
  const absl::Status cancelled =
      absl::CancelledError("the daemon is shutting down");
  for (auto& [id, child] : children_) {
    Kill(child);
    if (child.job) Finish(child, Ended(cancelled));
  }
  for (const PoolJob& job : waiting_) job.done(Ended(cancelled));
  waiting_.clear();
  children_.clear();
  zygotes_.clear();
}

void PoolState::PumpChild(Child& child) {
  if (child.closed) return;
  // A child that is gone is noticed by what it leaves to be received.
  child.connection->Flush().IgnoreError();
  while (!child.closed) {
    const absl::StatusOr<std::optional<std::string>> message =
        child.connection->Receive();
    if (!message.ok()) {
      child.closed = true;
      if (!absl::IsOutOfRange(message.status())) Reject(child);
      return;
    }
    if (!*message) return;
    OnMessage(child, **message);
  }
}

void PoolState::OnMessage(Child& child, const std::string& message) {
  if (child.phase == Phase::kWarming && message.empty()) {
    OnReady(child);
    return;
  }
  if (child.phase != Phase::kBusy) {
    Reject(child);
    return;
  }
  absl::StatusOr<CompileOutcome> outcome =
      DecodeResult(message, child.job->job.output);
  if (!outcome.ok()) {
    Reject(child);
    return;
  }
  outcome->timings.queue = child.job_began - child.job->accepted;
  // It should end by itself now; it is not given the choice.
  Kill(child);
  Finish(child, *std::move(outcome));
}

void PoolState::OnReady(Child& child) {
  child.phase = Phase::kReady;
  zygote_failures_ = 0;
  child_failures_ = 0;
  const auto zygote = zygotes_.find(child.zygote);
  if (unavailable_ && zygote != zygotes_.end() && zygote->second.identity) {
    unavailable_.reset();
    // It was accepted at its hello.
    events_.on_ready(*zygote->second.identity).IgnoreError();
  }
}

// Ends a child that does not keep to the protocol.
void PoolState::CountDeath(Outcome outcome) {
  counters_.CountDeath(outcome);
  events_.on_death(CauseOf(outcome).name);
}

void PoolState::Reject(Child& child) {
  Kill(child);
  if (child.phase == Phase::kEnding) return;
  CountDeath(Outcome::kExited);
  if (child.job) {
    CountCrash(child.zygote);
    Finish(
        child,
        Ended(absl::InternalError("the compiler gave no proper result"), true));
  }
  child.phase = Phase::kEnding;
}

void PoolState::Kill(Child& child) {
  child.killed = true;
  if (child.pidfd.valid()) {
    ::syscall(SYS_pidfd_send_signal, child.pidfd.get(), SIGKILL, nullptr, 0);
  }
}

void PoolState::Finish(Child& child, CompileOutcome outcome) {
  child.phase = Phase::kEnding;
  const PoolJob job = *std::move(child.job);
  child.job.reset();
  job.done(std::move(outcome));
}

void PoolState::Expire(absl::Time now) {
  for (auto& [id, child] : children_) {
    if (child.phase == Phase::kWarming && child.limit <= now) {
      Kill(child);
      child.phase = Phase::kEnding;
      Fail(absl::UnavailableError("a compile process does not become ready"),
           child_failures_);
    }
    if (child.phase != Phase::kBusy) continue;
    const bool own_limit = child.limit <= now;
    if (!own_limit && child.job->deadline->time() > now) continue;
    Kill(child);
    CountDeath(Outcome::kTimedOut);
    const std::string took =
        own_limit ? absl::StrCat("the compile took longer than ",
                                 absl::FormatDuration(options_.compile_timeout))
                  : "the compile outlived the deadline of its callers";
    Finish(child, Ended(absl::DeadlineExceededError(took), own_limit));
  }
  ExpireWaiting(now);
  std::vector<uint64_t> late;
  for (const auto& [id, zygote] : zygotes_) {
    if (!zygote.identity && zygote.hello_limit <= now) late.push_back(id);
  }
  for (const uint64_t id : late) {
    LoseZygote(id, absl::UnavailableError("the zygote does not start"));
  }
}

void PoolState::ExpireWaiting(absl::Time now) {
  std::deque<PoolJob> waiting;
  waiting.swap(waiting_);
  for (PoolJob& job : waiting) {
    if (job.deadline->time() > now) {
      waiting_.push_back(std::move(job));
    } else {
      job.done(Ended(absl::DeadlineExceededError(
          "the deadline passed before a compile process was ready")));
    }
  }
}

void PoolState::Assign(absl::Time now) {
  for (auto& [id, child] : children_) {
    if (waiting_.empty()) return;
    if (child.phase != Phase::kReady || child.closed || !child.pidfd.valid()) {
      continue;
    }
    child.phase = Phase::kBusy;
    child.job = std::move(waiting_.front());
    waiting_.pop_front();
    ++child.job->attempts;
    child.job_began = now;
    child.limit = now + options_.compile_timeout;
    child.connection->Send(EncodeJob(child.job->job));
    // If it is gone its zygote will say so.
    child.connection->Flush().IgnoreError();
  }
}

void PoolState::Refill(absl::Time now) {
  if (!OpenForForks(now)) return;
  const auto spare = std::count_if(
      children_.begin(), children_.end(), [this](const auto& entry) {
        const Child& child = entry.second;
        return child.zygote == current_ &&
               (child.phase == Phase::kWarming || child.phase == Phase::kReady);
      });
  for (auto i = spare; i < options_.children_max; ++i) {
    if (const absl::Status status = ForkChild(now); !status.ok()) {
      Fail(status, child_failures_);
      return;
    }
  }
}

absl::Status PoolState::ForkChild(absl::Time now) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return ErrnoStatus(errno, "socketpair");
  }
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  const uint64_t id = ++last_id_;
  QUERN_RETURN_IF_ERROR(zygotes_.at(current_).process->Fork(id, theirs.get()));
  Child child;
  child.zygote = current_;
  child.connection = std::make_unique<ChildConnection>(
      std::move(ours), options_.result_size_bytes_max);
  child.limit = now + options_.compile_timeout;
  children_.emplace(id, std::move(child));
  return absl::OkStatus();
}

}  // namespace quern
