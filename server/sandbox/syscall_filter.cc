// The allow-list, by libseccomp.
#include "server/sandbox/syscall_filter.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <memory>

#include "proto/wire/status.h"

namespace quern {
namespace {

// What computing, taking a job and giving its result, and ending take. The
// last five are how abort() and a returning signal handler end a process, so
// that a crash is told from a forbidden call.
constexpr int kAllowed[] = {
    SCMP_SYS(brk),           SCMP_SYS(mmap),       SCMP_SYS(munmap),
    SCMP_SYS(mremap),        SCMP_SYS(madvise),    SCMP_SYS(futex),
    SCMP_SYS(read),          SCMP_SYS(write),      SCMP_SYS(getrusage),
    SCMP_SYS(clock_gettime), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(gettid),        SCMP_SYS(getpid),     SCMP_SYS(tgkill),
    SCMP_SYS(rt_sigprocmask)};
static_assert(std::size(kAllowed) <= 20);

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};

// Allows `call` where the arguments cannot do harm.
int AllowCall(scmp_filter_ctx filter, int call) {
  switch (call) {
    case SCMP_SYS(mmap):
      return seccomp_rule_add(
          filter, SCMP_ACT_ALLOW, call, 2,
          SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
          SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
    case SCMP_SYS(tgkill):
      return seccomp_rule_add(
          filter, SCMP_ACT_ALLOW, call, 1,
          scmp_arg_cmp{0, SCMP_CMP_EQ, static_cast<uint64_t>(::getpid()), 0});
    default:
      return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  }
}

}  // namespace

bool HasSyscallFilter() {
  const uint32_t action = SECCOMP_RET_KILL_PROCESS;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

std::span<const int> AllowedSyscalls() { return kAllowed; }

absl::Status FilterSyscalls() {
  if (!HasSyscallFilter()) {
    return absl::UnimplementedError("this machine has no seccomp filters");
  }
  const std::unique_ptr<void, ReleaseFilter> filter(
      seccomp_init(SCMP_ACT_KILL_PROCESS));
  if (filter == nullptr) return absl::InternalError("seccomp_init failed");
  for (const int call : kAllowed) {
    if (const int error = AllowCall(filter.get(), call); error != 0) {
      return ErrnoStatus(-error, "seccomp_rule_add");
    }
  }
  if (const int error = seccomp_load(filter.get()); error != 0) {
    return ErrnoStatus(-error, "seccomp_load");
  }
  return absl::OkStatus();
}

}  // namespace quern
