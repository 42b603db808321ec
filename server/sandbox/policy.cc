// Entering the sandbox of a process that computes and ends.
#include "server/sandbox/policy.h"

#include <sys/resource.h>

#include "proto/wire/status.h"
#include "server/sandbox/steps.h"
#include "server/sandbox/syscall_filter.h"

namespace quern {
namespace {

absl::Status LimitResources(const SandboxPolicy& policy, uint64_t mapped) {
  const uint64_t memory = mapped + policy.added_memory_bytes_max;
  // Whole seconds are what the kernel counts; rounded up.
  const uint64_t seconds = static_cast<uint64_t>(
      absl::ToInt64Seconds(policy.cpu_time_max + absl::Nanoseconds(999999999)));
  QUERN_RETURN_IF_ERROR(LimitResource(RLIMIT_STACK, policy.stack_bytes_max,
                                      policy.stack_bytes_max));
  QUERN_RETURN_IF_ERROR(LimitResource(RLIMIT_AS, memory, memory));
  // SIGXCPU at the first bound; SIGKILL at the second, should it be ignored.
  QUERN_RETURN_IF_ERROR(LimitResource(RLIMIT_CPU, seconds, seconds + 1));
  QUERN_RETURN_IF_ERROR(LimitResource(RLIMIT_CORE, 0, 0));
  QUERN_RETURN_IF_ERROR(LimitResource(RLIMIT_FSIZE, 0, 0));
  return LimitResource(RLIMIT_NOFILE, 0, 0);
}

}  // namespace

absl::Status EnterSandbox(const SandboxPolicy& policy) {
  QUERN_RETURN_IF_ERROR(CheckSandboxLayers(policy.mode));
  // While files can still be opened.
  QUERN_ASSIGN_OR_RETURN(UniqueFd statm, OpenMappedBytes());
  QUERN_RETURN_IF_ERROR(GiveUpPrivileges());
  QUERN_ASSIGN_OR_RETURN(const uint64_t mapped, MappedBytes(statm.get()));
  statm.reset();
  QUERN_RETURN_IF_ERROR(LimitResources(policy, mapped));
  // Last: it forbids what the steps above do.
  return HasSyscallFilter() ? FilterSyscalls() : absl::OkStatus();
}

}  // namespace quern
