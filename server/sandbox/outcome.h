// How a confined process ended: a closed list.
#ifndef QUERN_SERVER_SANDBOX_OUTCOME_H_
#define QUERN_SERVER_SANDBOX_OUTCOME_H_

#include <string_view>

namespace quern {

enum class Outcome {
  kExited,         // By itself, with status 0.
  kDeniedSyscall,  // It made a system call that the policy forbids.
  kOutOfMemory,    // It needed more memory than the policy allows.
  kStackOverflow,  // Its stack grew past its bound.
  kTimedOut,       // It used more CPU time, or ran past its deadline.
  kKilled,         // By SIGKILL from outside.
  kSetupFailed,    // It could not enter the sandbox.
  kCrashed,        // Any other signal or exit status.
};

// Exit statuses by which a confined process says why it ends.
inline constexpr int kExitOutOfMemory = 81;
inline constexpr int kExitStackOverflow = 82;
inline constexpr int kExitSetupFailed = 83;

// Reads `wait_status`, as waitpid gives it.
Outcome OutcomeOf(int wait_status);

// For people: "crashed", "ran out of memory", ...
std::string_view OutcomeText(Outcome outcome);

}  // namespace quern

#endif  // QUERN_SERVER_SANDBOX_OUTCOME_H_
