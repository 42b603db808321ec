// Entering the sandbox, layer by layer.
#include "server/sandbox/policy.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/wire/status.h"
#include "proto/wire/unique_fd.h"
#include "server/sandbox/landlock.h"
#include "server/sandbox/syscall_filter.h"

// Linux 6.3; Debian 12's headers do not name them.
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

namespace quern {
namespace {

// The bytes of address space that this process has mapped.
absl::StatusOr<uint64_t> MappedBytes() {
  const UniqueFd statm(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  if (!statm.valid()) return ErrnoStatus(errno, "open /proc/self/statm");
  char text[128] = {};
  if (::read(statm.get(), text, sizeof(text) - 1) <= 0) {
    return ErrnoStatus(errno, "read /proc/self/statm");
  }
  const uint64_t pages = std::strtoull(text, nullptr, 10);
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

absl::Status Limit(int resource, uint64_t soft, uint64_t hard) {
  const rlimit limit{.rlim_cur = soft, .rlim_max = hard};
  if (::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) {
    return ErrnoStatus(errno, "setrlimit");
  }
  return absl::OkStatus();
}

absl::Status LimitResources(const SandboxPolicy& policy, uint64_t mapped) {
  const uint64_t memory = mapped + policy.added_memory_bytes_max;
  // Whole seconds are what the kernel counts; rounded up.
  const uint64_t seconds = static_cast<uint64_t>(
      absl::ToInt64Seconds(policy.cpu_time_max + absl::Nanoseconds(999999999)));
  QUERN_RETURN_IF_ERROR(
      Limit(RLIMIT_STACK, policy.stack_bytes_max, policy.stack_bytes_max));
  QUERN_RETURN_IF_ERROR(Limit(RLIMIT_AS, memory, memory));
  // SIGXCPU at the first bound; SIGKILL at the second, should it be ignored.
  QUERN_RETURN_IF_ERROR(Limit(RLIMIT_CPU, seconds, seconds + 1));
  QUERN_RETURN_IF_ERROR(Limit(RLIMIT_CORE, 0, 0));
  QUERN_RETURN_IF_ERROR(Limit(RLIMIT_FSIZE, 0, 0));
  return Limit(RLIMIT_NOFILE, 0, 0);
}

}  // namespace

std::vector<std::string> MissingSandboxLayers() {
  std::vector<std::string> missing;
  if (!HasSyscallFilter()) missing.push_back("seccomp");
  if (LandlockVersion() == 0) missing.push_back("landlock");
  // Before Linux 6.3 the filter alone does it: it lets no mapping be made
  // executable.
  if (!HasSyscallFilter() && ::prctl(PR_GET_MDWE, 0, 0, 0, 0) < 0) {
    missing.push_back("no-executable-memory");
  }
  return missing;
}

absl::Status EnterSandbox(const SandboxPolicy& policy) {
  const std::vector<std::string> missing = MissingSandboxLayers();
  if (!missing.empty() && policy.mode == SandboxMode::kRequired) {
    return absl::FailedPreconditionError(
        absl::StrCat("this machine lacks layers of the sandbox: ",
                     absl::StrJoin(missing, ", ")));
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return ErrnoStatus(errno, "prctl(PR_SET_NO_NEW_PRIVS)");
  }
  // While files can still be opened.
  QUERN_ASSIGN_OR_RETURN(const uint64_t mapped, MappedBytes());
  if (LandlockVersion() != 0) QUERN_RETURN_IF_ERROR(DenyAllByLandlock());
  if (::prctl(PR_GET_MDWE, 0, 0, 0, 0) >= 0 &&
      ::prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0) {
    return ErrnoStatus(errno, "prctl(PR_SET_MDWE)");
  }
  QUERN_RETURN_IF_ERROR(LimitResources(policy, mapped));
  // Last: it forbids what the steps above do.
  return HasSyscallFilter() ? FilterSyscalls() : absl::OkStatus();
}

}  // namespace quern
