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

// What an executor takes: messages with descriptors, mappings of these, waiting
// for launches and sharing them out among threads, and ending. membarrier makes
// new code visible to all threads on AArch64; restart_syscall is how a bounded
// sleep goes on after the process was stopped.
constexpr int kAllowedExecutor[] = {SCMP_SYS(brk),
                                    SCMP_SYS(mmap),
                                    SCMP_SYS(munmap),
                                    SCMP_SYS(mremap),
                                    SCMP_SYS(madvise),
                                    SCMP_SYS(futex),
                                    SCMP_SYS(recvmsg),
                                    SCMP_SYS(sendmsg),
                                    SCMP_SYS(close),
                                    SCMP_SYS(fstat),
                                    SCMP_SYS(write),
                                    SCMP_SYS(sched_yield),
                                    SCMP_SYS(clock_gettime),
                                    SCMP_SYS(exit_group),
                                    SCMP_SYS(rt_sigreturn),
                                    SCMP_SYS(gettid),
                                    SCMP_SYS(getpid),
                                    SCMP_SYS(tgkill),
                                    SCMP_SYS(membarrier),
                                    SCMP_SYS(rt_sigprocmask),
                                    SCMP_SYS(restart_syscall)};
static_assert(std::size(kAllowedExecutor) <= 24);

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, ReleaseFilter>;

// Signals go to this process alone.
int AllowOwnSignals(scmp_filter_ctx filter) {
  return seccomp_rule_add(
      filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
      scmp_arg_cmp{0, SCMP_CMP_EQ, static_cast<uint64_t>(::getpid()), 0});
}

// Allows `call` where the arguments cannot do harm.
int AllowCall(scmp_filter_ctx filter, int call) {
  switch (call) {
    case SCMP_SYS(mmap):
      return seccomp_rule_add(
          filter, SCMP_ACT_ALLOW, call, 2,
          SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
          SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS));
    case SCMP_SYS(tgkill):
      return AllowOwnSignals(filter);
    default:
      return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  }
}

int AllowExecutorCall(scmp_filter_ctx filter, int call) {
  switch (call) {
    case SCMP_SYS(mmap): {
      const int error =
          seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                           SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
      if (error != 0) return error;
      return seccomp_rule_add(
          filter, SCMP_ACT_ALLOW, call, 2,
          SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC),
          SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0));
    }
    case SCMP_SYS(tgkill):
      return AllowOwnSignals(filter);
    default:
      return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  }
}

// Loads a filter that allows `calls`, each as `allow` says.
absl::Status Load(std::span<const int> calls, bool all_threads,
                  int (*allow)(scmp_filter_ctx filter, int call)) {
  if (!HasSyscallFilter()) {
    return absl::UnimplementedError("this machine has no seccomp filters");
  }
  const Filter filter(seccomp_init(SCMP_ACT_KILL_PROCESS));
  if (filter == nullptr) return absl::InternalError("seccomp_init failed");
  if (all_threads) {
    if (const int error =
            seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
        error != 0) {
      return ErrnoStatus(-error, "seccomp_attr_set");
    }
  }
  for (const int call : calls) {
    if (const int error = allow(filter.get(), call); error != 0) {
      return ErrnoStatus(-error, "seccomp_rule_add");
    }
  }
  if (const int error = seccomp_load(filter.get()); error != 0) {
    return ErrnoStatus(-error, "seccomp_load");
  }
  return absl::OkStatus();
}

}  // namespace

bool HasSyscallFilter() {
  const uint32_t action = SECCOMP_RET_KILL_PROCESS;
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

std::span<const int> AllowedSyscalls() { return kAllowed; }

absl::Status FilterSyscalls() { return Load(kAllowed, false, AllowCall); }

std::span<const int> AllowedExecutorSyscalls() { return kAllowedExecutor; }

absl::Status FilterExecutorSyscalls() {
  return Load(kAllowedExecutor, true, AllowExecutorCall);
}

}  // namespace quern
