// The new-handler and the handler of SIGSEGV.
#include "server/sandbox/death_reports.h"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <new>

#include "proto/wire/status.h"
#include "server/sandbox/outcome.h"

namespace quern {
namespace {

constexpr size_t kHandlerStackSize = 64 << 10;

// A function's first touch of its frame faults at most this far below the
// stack pointer (it is moved first, or the frame is small), or just above it.
constexpr uintptr_t kBelow = 1 << 20;
constexpr uintptr_t kAbove = 64 << 10;

[[noreturn]] void ReportOutOfMemory() { ::_exit(kExitOutOfMemory); }

uintptr_t StackPointer(const ucontext_t& context) {
#if defined(__x86_64__)
  return static_cast<uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
#elif defined(__aarch64__)
  return context.uc_mcontext.sp;
#else
#error "name the register that holds the stack pointer"
#endif
}

// Whether `size_bytes` of memory cannot be mapped.
bool MemoryIsShort(uint64_t size_bytes) {
  return ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

// Makes only calls that are safe in a handler. An address near the stack
// pointer faults only if the stack could not grow to it.
void HandleFault(int, siginfo_t* info, void* argument) {
  const auto& context = *static_cast<ucontext_t*>(argument);
  const uintptr_t stack = StackPointer(context);
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  if (address + kBelow >= stack && address <= stack + kAbove) {
    ::_exit(kExitStackOverflow);
  }
  // The far end of the handler's stack holds the reserve.
  uint64_t reserve_bytes;
  std::memcpy(&reserve_bytes, context.uc_stack.ss_sp, sizeof(reserve_bytes));
  if (MemoryIsShort(reserve_bytes)) ::_exit(kExitOutOfMemory);
  // SA_RESETHAND: on return the instruction faults again, and this time the
  // signal ends the process.
}

}  // namespace

absl::Status InstallDeathReports(uint64_t memory_reserve_bytes) {
  std::set_new_handler(ReportOutOfMemory);
  void* memory = ::mmap(nullptr, kHandlerStackSize, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return ErrnoStatus(errno, "mmap");
  std::memcpy(memory, &memory_reserve_bytes, sizeof(memory_reserve_bytes));
  const stack_t stack{
      .ss_sp = memory, .ss_flags = 0, .ss_size = kHandlerStackSize};
  if (::sigaltstack(&stack, nullptr) != 0) {
    return ErrnoStatus(errno, "sigaltstack");
  }
  struct sigaction action = {};
  action.sa_sigaction = HandleFault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  if (::sigaction(SIGSEGV, &action, nullptr) != 0) {
    return ErrnoStatus(errno, "sigaction");
  }
  return absl::OkStatus();
}

}  // namespace quern
