// Submitting, waiting, and what completions mean.
#include <algorithm>
#include <chrono>
#include <optional>

#include "absl/strings/str_cat.h"
#include "client/runtime/served_client.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

// Unlike the time of day, it is never set.
using SteadyTime = std::chrono::steady_clock::time_point;

// After so long a sleep it is looked whether the daemon is still there.
constexpr absl::Duration kSleepMax = absl::Milliseconds(100);

absl::Status EndOfExecutor(uint32_t state) {
  switch (state) {
    case QUERN_RING_CLOSED:
      return absl::UnavailableError("the daemon has ended the session");
    case QUERN_RING_CRASHED:
      return absl::AbortedError("the executor crashed");
    case QUERN_RING_KILLED:
      return absl::AbortedError("the executor was killed");
    case QUERN_RING_OUT_OF_MEMORY:
      return absl::ResourceExhaustedError("the executor ran out of memory");
    case QUERN_RING_TIMED_OUT:
      return absl::DeadlineExceededError("a launch ran longer than it may");
    case QUERN_RING_FORBIDDEN_CALL:
      return absl::AbortedError("the executor made a forbidden system call");
    case QUERN_RING_NOT_CONFINED:
      return absl::AbortedError("the executor could not enter its sandbox");
    case QUERN_RING_DAEMON_GONE:
      return absl::UnavailableError("the daemon is gone");
    default:
      return absl::AbortedError("the executor ended");
  }
}

}  // namespace

ServedRing::~ServedRing() {
  if (!connection_->Check().ok()) return;
  // Not found, if its executor has ended.
  connection_->attach->CloseRing(id_).IgnoreError();
}

uint32_t ServedRing::State() const {
  return daemon_gone_ ? uint32_t{QUERN_RING_DAEMON_GONE} : ring_.state();
}

absl::StatusOr<size_t> ServedRing::Submit(
    std::span<const RingLaunch> launches) {
  QUERN_RETURN_IF_ERROR(connection_->Check());
  if (const uint32_t state = State(); state != QUERN_RING_RUNNING) {
    return EndOfExecutor(state);
  }
  size_t submitted = 0;
  absl::Status status;
  for (const RingLaunch& launch : launches) {
    if (launch.arguments.size() > QUERN_RING_ARGUMENTS_MAX) {
      status = absl::InvalidArgumentError("a launch has at most 128 arguments");
      break;
    }
    if (!ring_.Submit(launch)) break;
    ++submitted;
  }
  ring_.Wake();
  if (!status.ok()) return status;
  return submitted;
}

size_t ServedRing::TakeReady(std::span<quern_ring_completion> completions) {
  size_t taken = 0;
  while (taken < completions.size() && ring_.Take(completions[taken])) ++taken;
  return taken;
}

absl::StatusOr<size_t> ServedRing::Take(
    std::span<quern_ring_completion> completions) {
  QUERN_RETURN_IF_ERROR(connection_->Check());
  return TakeReady(completions);
}

absl::StatusOr<size_t> ServedRing::Wait(
    std::span<quern_ring_completion> completions, absl::Duration timeout) {
  QUERN_RETURN_IF_ERROR(connection_->Check());
  // Read only when spinning was in vain.
  std::optional<SteadyTime> begin;
  while (true) {
    if (const size_t taken = TakeReady(completions)) return taken;
    if (ring_.outstanding() == 0 || completions.empty()) return 0;
    if (ring_.Await(absl::ZeroDuration())) {
      if (const size_t taken = TakeReady(completions)) return taken;
    }
    if (const uint32_t state = State(); state != QUERN_RING_RUNNING) {
      // What was completed before the end counts.
      size_t taken = TakeReady(completions);
      while (taken < completions.size() &&
             ring_.Abandon(state, completions[taken])) {
        ++taken;
      }
      return taken;
    }
    const SteadyTime now = std::chrono::steady_clock::now();
    if (!begin) begin = now;
    const absl::Duration left = timeout - absl::FromChrono(now - *begin);
    if (left <= absl::ZeroDuration()) return 0;
    if (!ring_.Await(std::min(kSleepMax, left))) {
      daemon_gone_ = connection_->attach->PeerIsGone();
    }
  }
}

absl::Status StatusOf(const quern_ring_completion& completion) {
  switch (completion.status) {
    case QUERN_RING_OK:
      return absl::OkStatus();
    case QUERN_RING_ASSERT_FAILED:
      return absl::AbortedError(
          absl::StrCat("device assert ", completion.detail, " failed"));
    case QUERN_RING_BAD_REQUEST:
      return absl::InvalidArgumentError("unknown flags, or a broken slot");
    case QUERN_RING_BAD_KERNEL:
      return absl::NotFoundError("this session has no such kernel");
    case QUERN_RING_BAD_ARGUMENT_COUNT:
      return absl::InvalidArgumentError(
          absl::StrCat("the kernel has ", completion.detail, " arguments"));
    case QUERN_RING_BAD_GRID:
      return absl::InvalidArgumentError("the grid has 2^63 programs or more");
    case QUERN_RING_BAD_BUFFER:
      return absl::NotFoundError(absl::StrCat(
          "argument ", completion.detail, ": this session has no such buffer"));
    case QUERN_RING_OUT_OF_RANGE:
      return absl::OutOfRangeError(absl::StrCat(
          "argument ", completion.detail, ": past the end of its buffer"));
    case QUERN_RING_NO_MEMORY:
      return absl::ResourceExhaustedError("no memory for the kernel's scratch");
    case QUERN_RING_EXECUTOR_ENDED:
      return EndOfExecutor(completion.detail);
    default:
      return absl::DataLossError("the executor wrote no sense into its ring");
  }
}

}  // namespace quern
