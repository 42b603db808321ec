// No-new-privileges, Landlock, MDWE and resource limits.
#include "server/sandbox/steps.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/wire/status.h"
#include "server/sandbox/landlock.h"
#include "server/sandbox/syscall_filter.h"

// Linux 6.3; Debian 12's headers do not name them.
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

namespace quern {

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

absl::Status CheckSandboxLayers(SandboxMode mode) {
  const std::vector<std::string> missing = MissingSandboxLayers();
  if (missing.empty() || mode != SandboxMode::kRequired) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("this machine lacks layers of the sandbox: ",
                   absl::StrJoin(missing, ", ")));
}

absl::Status GiveUpPrivileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return ErrnoStatus(errno, "prctl(PR_SET_NO_NEW_PRIVS)");
  }
  if (LandlockVersion() != 0) QUERN_RETURN_IF_ERROR(DenyAllByLandlock());
  if (::prctl(PR_GET_MDWE, 0, 0, 0, 0) >= 0 &&
      ::prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0) {
    return ErrnoStatus(errno, "prctl(PR_SET_MDWE)");
  }
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> OpenMappedBytes() {
  UniqueFd statm(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  if (!statm.valid()) return ErrnoStatus(errno, "open /proc/self/statm");
  return statm;
}

absl::StatusOr<uint64_t> MappedBytes(int statm) {
  char text[128] = {};
  if (::read(statm, text, sizeof(text) - 1) <= 0) {
    return ErrnoStatus(errno, "read /proc/self/statm");
  }
  const uint64_t pages = std::strtoull(text, nullptr, 10);
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

absl::Status LimitResource(int resource, uint64_t soft, uint64_t hard) {
  const auto which = static_cast<__rlimit_resource_t>(resource);
  rlimit limit{};
  if (::getrlimit(which, &limit) != 0) return ErrnoStatus(errno, "getrlimit");
  limit.rlim_max = std::min<rlim_t>(limit.rlim_max, hard);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, soft);
  if (::setrlimit(which, &limit) != 0) {
    return ErrnoStatus(errno, "setrlimit");
  }
  return absl::OkStatus();
}

}  // namespace quern
