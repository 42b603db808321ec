// Zygotes: starting them, hearing them, and surviving their end.
#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/workers/deaths.h"
#include "server/workers/pool_state.h"

namespace quern {
namespace {

// A zygote that loads LLVM from a cold disk takes seconds.
constexpr absl::Duration kHelloTimeout = absl::Seconds(60);

// After so many failures in a row calls fail instead of waiting.
constexpr uint32_t kFailuresMax = 3;

// A job whose child died with its zygote is tried again, once.
constexpr uint32_t kAttemptsMax = 2;

// A job that its child did not read cannot have killed it. All ready children
// may be killed at a time, and several times in a row.
constexpr uint32_t kUnreadMax = 16;

constexpr absl::Duration kBackOffMin = absl::Milliseconds(50);
constexpr absl::Duration kBackOffMax = absl::Seconds(10);

absl::Duration BackOff(uint32_t failures) {
  if (failures <= 1) return absl::ZeroDuration();
  return std::min(kBackOffMax,
                  kBackOffMin * (1 << std::min<uint32_t>(failures - 1, 16)));
}

// Whether a program cannot be started for want of something on this machine.
bool IsMissing(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsPermissionDenied(status);
}

bool IsCrash(Outcome outcome) {
  return outcome == Outcome::kCrashed || outcome == Outcome::kDeniedSyscall ||
         outcome == Outcome::kStackOverflow;
}

}  // namespace

void PoolState::StartZygote(absl::Time now) {
  if (started_once_) {
    counters_.CountZygoteRestart();
    events_.on_zygote_restart();
  }
  started_once_ = true;
  absl::StatusOr<std::unique_ptr<ZygoteProcess>> process =
      starter_.Start(options_.setup);
  if (!process.ok()) {
    // Trying again at once would find the same.
    zygote_failures_ = std::max(zygote_failures_, kFailuresMax - 1);
    Fail(IsMissing(process.status())
             ? absl::FailedPreconditionError(process.status().message())
             : process.status(),
         zygote_failures_);
    return;
  }
  current_ = ++last_id_;
  Zygote& zygote = zygotes_[current_];
  zygote.process = *std::move(process);
  zygote.hello_limit = now + kHelloTimeout;
}

void PoolState::PumpZygote(uint64_t id) {
  while (true) {
    const auto zygote = zygotes_.find(id);
    if (zygote == zygotes_.end()) return;
    absl::StatusOr<std::optional<ZygoteReport>> report =
        zygote->second.process->Receive();
    if (!report.ok()) {
      LoseZygote(id, report.status());
      return;
    }
    if (!*report) return;
    if (auto* hello = std::get_if<ZygoteHello>(&**report)) {
      OnHello(id, std::move(*hello));
    } else if (auto* forked = std::get_if<ChildForked>(&**report)) {
      OnForked(std::move(*forked));
    } else {
      OnExited(std::get<ChildExited>(**report));
    }
  }
}

void PoolState::OnHello(uint64_t id, ZygoteHello hello) {
  counters_.SetSandboxMissing(hello.sandbox_missing);
  zygotes_.at(id).hello_limit = absl::InfiniteFuture();
  absl::Status status;
  if (options_.setup.sandbox_required && !hello.sandbox_missing.empty()) {
    status = absl::FailedPreconditionError(
        absl::StrCat("this machine lacks layers of the sandbox: ",
                     absl::StrJoin(hello.sandbox_missing, ", ")));
  } else {
    status = events_.on_ready(hello.identity);
  }
  if (!status.ok()) {
    unusable_ = true;
    MakeUnavailable(status);
    return;
  }
  if (unavailable_) unavailable_.reset();
  zygotes_.at(id).identity = std::move(hello.identity);
  logger_.Log(LogLevel::kInfo, "the compile zygote is ready");
}

void PoolState::OnForked(ChildForked forked) {
  counters_.CountFork();
  const auto found = children_.find(forked.id);
  if (found == children_.end()) return;
  found->second.pidfd = std::move(forked.pidfd);
  if (found->second.killed) Kill(found->second);
}

void PoolState::OnExited(const ChildExited& exited) {
  const auto found = children_.find(exited.id);
  if (found == children_.end()) return;
  Child& child = found->second;
  // Its result may lie in the socket still, and its Ready before that.
  PumpChild(child);
  const Outcome outcome = OutcomeOf(exited.wait_status);
  if (child.phase == Phase::kBusy) {
    LoseJob(child, outcome);
  } else if (child.phase != Phase::kEnding) {
    CountDeath(outcome);
    const std::string reason =
        absl::StrCat("a compile process ", std::string(OutcomeText(outcome)),
                     " before it had a job");
    if (child.phase == Phase::kWarming) {
      Fail(outcome == Outcome::kSetupFailed
               ? absl::FailedPreconditionError(reason)
               : absl::UnavailableError(reason),
           child_failures_);
    } else {
      logger_.Log(LogLevel::kWarning, reason);
    }
  }
  children_.erase(exited.id);
}

// The job of a child that has ended waits again if it was never read, and is
// answered otherwise.
void PoolState::LoseJob(Child& child, Outcome outcome) {
  CountDeath(outcome);
  if (outcome == Outcome::kKilled && child.connection->closed_unread() &&
      child.job->unread < kUnreadMax) {
    --child.job->attempts;
    ++child.job->unread;
    waiting_.push_front(*std::move(child.job));
    logger_.Log(LogLevel::kWarning,
                "a compile process was killed before it read its job");
    return;
  }
  logger_.Log(
      LogLevel::kWarning,
      absl::StrCat("a compile process ", std::string(OutcomeText(outcome)),
                   " on kernel ", child.job->job.key.ToHex()));
  if (IsCrash(outcome)) CountCrash(child.zygote);
  Finish(child, OutcomeOfDeath(outcome));
}

void PoolState::LoseZygote(uint64_t id, const absl::Status& reason) {
  std::vector<uint64_t> orphans;
  for (const auto& [child_id, child] : children_) {
    if (child.zygote == id) orphans.push_back(child_id);
  }
  // Backwards, so that the oldest job is again the first.
  std::reverse(orphans.begin(), orphans.end());
  for (const uint64_t child : orphans) LoseChild(child);
  zygotes_.erase(id);
  if (current_ != id) return;
  current_ = 0;
  Fail(absl::UnavailableError(
           absl::StrCat("the compile zygote ended: ", reason.message())),
       zygote_failures_);
}

// A child ends with its zygote; its job is not to blame.
void PoolState::LoseChild(uint64_t id) {
  Child& child = children_.at(id);
  PumpChild(child);
  Kill(child);
  if (child.job && child.job->attempts < kAttemptsMax) {
    waiting_.push_front(*std::move(child.job));
  } else if (child.job) {
    CountDeath(Outcome::kKilled);
    Finish(child, OutcomeOfDeath(Outcome::kKilled));
  }
  children_.erase(id);
}

void PoolState::CountCrash(uint64_t id) {
  const auto zygote = zygotes_.find(id);
  if (zygote == zygotes_.end() || id != current_) return;
  if (++zygote->second.crashes < options_.crashes_per_zygote_max) return;
  // All its children have one address layout, which crashes may have told.
  logger_.Log(LogLevel::kInfo, "renewing the compile zygote after crashes");
  current_ = 0;
  for (auto& [child_id, child] : children_) {
    if (child.zygote != id || child.phase == Phase::kBusy) continue;
    Kill(child);
    child.phase = Phase::kEnding;
  }
}

void PoolState::DropRetiredZygotes() {
  std::erase_if(zygotes_, [this](const auto& entry) {
    const uint64_t id = entry.first;
    return id != current_ && std::none_of(children_.begin(), children_.end(),
                                          [id](const auto& child) {
                                            return child.second.zygote == id;
                                          });
  });
}

void PoolState::MakeUnavailable(const absl::Status& reason) {
  // Who hears of a failed precondition does not try again: where one is to
  // blame, waiting is of no use.
  unavailable_ = absl::IsFailedPrecondition(reason)
                     ? reason
                     : absl::UnavailableError(reason.message());
  logger_.Log(LogLevel::kError,
              absl::StrCat("no compiler: ", reason.message()));
  events_.on_unavailable(*unavailable_);
  std::deque<PoolJob> waiting;
  waiting.swap(waiting_);
  for (const PoolJob& job : waiting) {
    CompileOutcome outcome;
    outcome.status = *unavailable_;
    job.done(std::move(outcome));
  }
}

// Counts a failure to have a zygote or a ready child, and waits with the next
// attempt the longer, the more there were in a row.
void PoolState::Fail(const absl::Status& reason, uint32_t& failures) {
  ++failures;
  retry_at_ = clock_.Now() + BackOff(failures);
  logger_.Log(LogLevel::kWarning, std::string(reason.message()));
  if (failures >= kFailuresMax && !unavailable_) MakeUnavailable(reason);
}

bool PoolState::OpenForForks(absl::Time now) const {
  if (unusable_ || now < retry_at_) return false;
  const auto zygote = zygotes_.find(current_);
  return zygote != zygotes_.end() && zygote->second.identity.has_value();
}

}  // namespace quern
