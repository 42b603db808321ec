// What a confined process may do: a policy as a value.
//
// Whatever is not listed is forbidden. There is no flag that loosens a policy;
// what differs between processes is in the values.
#ifndef QUERN_SERVER_SANDBOX_POLICY_H_
#define QUERN_SERVER_SANDBOX_POLICY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace quern {

// What to do if this machine lacks a layer of the sandbox.
enum class SandboxMode {
  kRequired,    // Fail.
  kBestEffort,  // Go on with the layers that are there.
};

struct SandboxPolicy {
  // Address space that may be added to what is mapped when it is entered.
  uint64_t added_memory_bytes_max = uint64_t{2} << 30;
  // CPU time, counted from the start of the process.
  absl::Duration cpu_time_max = absl::Seconds(60);
  // Stack of the process's one thread.
  uint64_t stack_bytes_max = uint64_t{8} << 20;
  SandboxMode mode = SandboxMode::kRequired;
};

// Confines the calling process, which must have one thread, for good:
//  - no new privileges;
//  - no files, no network: Landlock with no rule, and no new descriptor;
//  - no executable memory beyond what is mapped;
//  - bounds on address space, CPU time and stack; no core dump;
//  - an allow-list of at most 20 system calls: those that computing, reading
//    and writing open descriptors, and ending need. Any other ends the process.
//
// FailedPrecondition: a layer is missing and the mode is kRequired; the
//   message names it. The process is then partly confined: end it.
absl::Status EnterSandbox(const SandboxPolicy& policy);

// The layers of the sandbox that this machine lacks, by name: "seccomp",
// "landlock", "no-executable-memory". Confines nothing.
std::vector<std::string> MissingSandboxLayers();

}  // namespace quern

#endif  // QUERN_SERVER_SANDBOX_POLICY_H_
