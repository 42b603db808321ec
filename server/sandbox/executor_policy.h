// What an executor may do, beyond a process that only computes: take
// descriptors of shared memory over its socket, and map them for reading and
// writing or for reading and executing, never for both. That is a policy of its
// own, so that no other process can be given these powers by a value.
#ifndef QUERN_SERVER_SANDBOX_EXECUTOR_POLICY_H_
#define QUERN_SERVER_SANDBOX_EXECUTOR_POLICY_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "server/sandbox/policy.h"

namespace quern {

struct ExecutorPolicy {
  // Address space that may be added to what is mapped when it is entered.
  uint64_t added_memory_bytes_max = uint64_t{8} << 30;
  SandboxMode mode = SandboxMode::kRequired;
};

// Confines the calling process, which must have one thread, for good:
//  - no new privileges; no files, no network: Landlock with no rule;
//  - at most kExecutorDescriptorsMax descriptors, the standard ones included;
//  - memory that is executable was never writable here; no mprotect;
//  - bounds on address space; no core dump, no file output;
//  - an allow-list of at most 24 system calls. Threads cannot be started any
//    more: `start_threads`, which is called before the filter, starts them and
//    waits until each has begun, and the filter then holds for all.
//
// FailedPrecondition: a layer is missing and the mode is kRequired; the
//   message names it. The process is then partly confined: end it.
// Others: those of `start_threads`.
absl::Status EnterExecutorSandbox(
    const ExecutorPolicy& policy,
    absl::FunctionRef<absl::Status()> start_threads);

inline constexpr uint64_t kExecutorDescriptorsMax = 16;

}  // namespace quern

#endif  // QUERN_SERVER_SANDBOX_EXECUTOR_POLICY_H_
