// One command, one answer.
#include "server/executor/executor_link.h"

#include <utility>

#include "proto/wire/ring_layout.h"

namespace quern {

ExecutorLink::ExecutorLink(std::unique_ptr<ExecutorProcess> process,
                           absl::Time now, absl::Duration answer_timeout)
    : process_(std::move(process)),
      answer_timeout_(answer_timeout),
      unanswered_(Step{.done = [](const absl::Status&) {}}),
      sent_at_(now) {}

void ExecutorLink::Send(const ExecutorCommand& command, int fd, Done done,
                        absl::Time now) {
  waiting_.push_back({.command = command, .fd = fd, .done = std::move(done)});
  SendNext(now);
}

void ExecutorLink::SendNext(absl::Time now) {
  if (unanswered_ || waiting_.empty()) return;
  unanswered_ = std::move(waiting_.front());
  waiting_.pop_front();
  sent_at_ = now;
  // One that is gone is seen to be gone; one that does not read has not
  // answered, either.
  process_->Send(unanswered_->command, unanswered_->fd).IgnoreError();
}

void ExecutorLink::Receive(absl::Time now) {
  while (true) {
    const absl::StatusOr<std::optional<ExecutorAnswer>> answer =
        process_->Receive();
    // By itself it closes the socket only when it ends; a socket that stays
    // closed must not be heard of again and again.
    if (absl::IsOutOfRange(answer.status())) {
      process_->Kill();
      return;
    }
    if (!answer.ok() || (*answer && !unanswered_)) {
      return Kill(QUERN_RING_UNRESPONSIVE);
    }
    if (!*answer) return;
    const Done done = std::move(unanswered_->done);
    unanswered_.reset();
    const auto code = static_cast<absl::StatusCode>((*answer)->status);
    // The text is the daemon's own: the executor is not trusted.
    done(absl::Status(code, "the executor could not do it"));
    SendNext(now);
  }
}

void ExecutorLink::Tick(absl::Time now) {
  if (unanswered_ && now - sent_at_ >= answer_timeout_) {
    Kill(QUERN_RING_UNRESPONSIVE);
  }
}

void ExecutorLink::Kill(uint32_t state) {
  if (!reason_) reason_ = state;
  process_->Kill();
}

std::optional<uint32_t> ExecutorLink::Ended() {
  const std::optional<Outcome> outcome = process_->Reap();
  if (!outcome) return std::nullopt;
  return reason_ ? *reason_ : RingStateOf(*outcome);
}

uint32_t RingStateOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDeniedSyscall:
      return QUERN_RING_FORBIDDEN_CALL;
    case Outcome::kOutOfMemory:
      return QUERN_RING_OUT_OF_MEMORY;
    case Outcome::kTimedOut:
      return QUERN_RING_TIMED_OUT;
    case Outcome::kKilled:
      return QUERN_RING_KILLED;
    case Outcome::kSetupFailed:
      return QUERN_RING_NOT_CONFINED;
    case Outcome::kExited:
    case Outcome::kStackOverflow:
    case Outcome::kCrashed:
      return QUERN_RING_CRASHED;
  }
  return QUERN_RING_CRASHED;
}

}  // namespace quern
