// From the end of a child to the answer of its call.
#include "server/workers/deaths.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace quern {
namespace {

absl::StatusCode CodeOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOutOfMemory:
      return absl::StatusCode::kResourceExhausted;
    case Outcome::kTimedOut:
      return absl::StatusCode::kDeadlineExceeded;
    case Outcome::kExited:
    case Outcome::kDeniedSyscall:
    case Outcome::kStackOverflow:
    case Outcome::kKilled:
    case Outcome::kSetupFailed:
    case Outcome::kCrashed:
      return absl::StatusCode::kInternal;
  }
  return absl::StatusCode::kInternal;
}

}  // namespace

CompileOutcome OutcomeOfDeath(Outcome outcome) {
  CompileOutcome result;
  result.status = absl::Status(
      CodeOf(outcome),
      absl::StrCat("the compiler ", std::string(OutcomeText(outcome)),
                   " on this source"));
  // Who was killed from outside may fare better next time.
  result.source_is_deadly = outcome != Outcome::kKilled;
  return result;
}

}  // namespace quern
