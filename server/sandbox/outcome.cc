// From wait statuses to outcomes.
#include "server/sandbox/outcome.h"

#include <sys/wait.h>

#include <csignal>

namespace quern {
namespace {

Outcome OutcomeOfExit(int status) {
  switch (status) {
    case 0:
      return Outcome::kExited;
    case kExitOutOfMemory:
      return Outcome::kOutOfMemory;
    case kExitStackOverflow:
      return Outcome::kStackOverflow;
    case kExitSetupFailed:
      return Outcome::kSetupFailed;
    default:
      return Outcome::kCrashed;
  }
}

Outcome OutcomeOfSignal(int signal) {
  switch (signal) {
    case SIGSYS:
      return Outcome::kDeniedSyscall;
    case SIGXCPU:
      return Outcome::kTimedOut;
    case SIGKILL:
      return Outcome::kKilled;
    default:
      return Outcome::kCrashed;
  }
}

}  // namespace

Outcome OutcomeOf(int wait_status) {
  return WIFSIGNALED(wait_status) ? OutcomeOfSignal(WTERMSIG(wait_status))
                                  : OutcomeOfExit(WEXITSTATUS(wait_status));
}

std::string_view OutcomeText(Outcome outcome) {
  switch (outcome) {
    case Outcome::kExited:
      return "ended without a result";
    case Outcome::kDeniedSyscall:
      return "made a forbidden system call";
    case Outcome::kOutOfMemory:
      return "ran out of memory";
    case Outcome::kStackOverflow:
      return "overflowed its stack";
    case Outcome::kTimedOut:
      return "ran out of time";
    case Outcome::kKilled:
      return "was killed";
    case Outcome::kSetupFailed:
      return "could not enter its sandbox";
    case Outcome::kCrashed:
      return "crashed";
  }
  return "crashed";
}

}  // namespace quern
