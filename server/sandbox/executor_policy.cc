// Entering the sandbox of an executor.
#include "server/sandbox/executor_policy.h"

#include <malloc.h>
#include <sys/resource.h>

#include "proto/wire/status.h"
#include "server/sandbox/steps.h"
#include "server/sandbox/syscall_filter.h"

namespace quern {
namespace {

absl::Status LimitResources(const ExecutorPolicy& policy, uint64_t mapped) {
  const uint64_t memory = mapped + policy.added_memory_bytes_max;
  QUERN_RETURN_IF_ERROR(LimitResource(RLIMIT_AS, memory, memory));
  QUERN_RETURN_IF_ERROR(LimitResource(RLIMIT_CORE, 0, 0));
  QUERN_RETURN_IF_ERROR(LimitResource(RLIMIT_FSIZE, 0, 0));
  return LimitResource(RLIMIT_NOFILE, kExecutorDescriptorsMax,
                       kExecutorDescriptorsMax);
}

}  // namespace

absl::Status EnterExecutorSandbox(
    const ExecutorPolicy& policy,
    absl::FunctionRef<absl::Status()> start_threads) {
  QUERN_RETURN_IF_ERROR(CheckSandboxLayers(policy.mode));
  // An arena of its own for each thread would grow by mprotect.
  ::mallopt(M_ARENA_MAX, 1);
  // Landlock forbids files, also to the threads, because it comes before them;
  // but /proc must be read after them, to know what they have mapped.
  QUERN_ASSIGN_OR_RETURN(UniqueFd statm, OpenMappedBytes());
  QUERN_RETURN_IF_ERROR(GiveUpPrivileges());
  QUERN_RETURN_IF_ERROR(start_threads());
  QUERN_ASSIGN_OR_RETURN(const uint64_t mapped, MappedBytes(statm.get()));
  statm.reset();
  QUERN_RETURN_IF_ERROR(LimitResources(policy, mapped));
  // Last: it forbids what the steps above do.
  return HasSyscallFilter() ? FilterExecutorSyscalls() : absl::OkStatus();
}

}  // namespace quern
