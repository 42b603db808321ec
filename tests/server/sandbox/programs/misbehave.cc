// A program that enters the sandbox and then misbehaves in the one way that its
// argument names. Without a sandbox most of them would succeed.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/sandbox/death_reports.h"
#include "server/sandbox/outcome.h"
#include "server/sandbox/policy.h"

namespace quern {
namespace {

constexpr size_t kMiB = 1 << 20;

// Maps `megabytes` of memory, and reports failure as LLVM's users do: through
// operator new.
void Allocate(size_t megabytes) {
  std::vector<std::unique_ptr<std::string>> blocks;
  for (size_t i = 0; i < megabytes; ++i) {
    blocks.push_back(std::make_unique<std::string>(kMiB, 'x'));
  }
}

int Recurse(int depth) {
  volatile char frame[512];
  std::memset(const_cast<char*>(frame), depth, sizeof(frame));
  if (depth < 0) return 0;
  return Recurse(depth + 1) + frame[static_cast<size_t>(depth) % 512];
}

[[noreturn]] void Spin() {
  for (volatile int i = 0;; i = 1 - i) {
  }
}

void MapExecutable() {
  ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void MakeExecutable(void* page) {
  ::mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

void FollowNull() {
  volatile int* volatile nowhere = nullptr;
  *nowhere = 1;
}

// What code does that does not look at what malloc gives.
void WriteUnchecked() {
  while (true) {
    auto* block = static_cast<volatile char*>(std::malloc(kMiB));
    block[0] = 1;
  }
}

// Everything a compile needs, and nothing more.
void Behave() {
  Allocate(8);
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ::munmap(page, 4096);
  if (::write(STDOUT_FILENO, "x", 1) != 1) ::_exit(1);
}

void Misbehave(std::string_view how, void* page) {
  if (how == "behave") Behave();
  if (how == "behave_under_tighter_limits") Behave();
  if (how == "open") ::open("/etc/hostname", O_RDONLY);
  if (how == "socket") ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (how == "fork") ::fork();
  if (how == "kill_parent") ::kill(::getppid(), 0);
  if (how == "map_executable") MapExecutable();
  if (how == "make_executable") MakeExecutable(page);
  if (how == "allocate") Allocate(1024);
  if (how == "write_unchecked") WriteUnchecked();
  if (how == "recurse") Recurse(0);
  if (how == "spin") Spin();
  if (how == "null") FollowNull();
  if (how == "abort") std::abort();
  if (how == "trap") __builtin_trap();
  if (how == "exit_7") ::_exit(7);
}

// As a shell's `ulimit` leaves it for the daemon. Only the privileged could
// raise it again.
void TightenLimits() {
  const rlimit stack{.rlim_cur = kMiB / 2, .rlim_max = kMiB / 2};
  const rlimit seconds{.rlim_cur = 1, .rlim_max = 1};
  if (::setrlimit(RLIMIT_STACK, &stack) != 0 ||
      ::setrlimit(RLIMIT_CPU, &seconds) != 0) {
    ::_exit(kExitSetupFailed);
  }
}

int Main(std::string_view how) {
  // Where the tests write to a file, no byte may be added to it.
  ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (how == "behave_under_tighter_limits") TightenLimits();
  SandboxPolicy policy;
  policy.added_memory_bytes_max = 64 * kMiB;
  policy.cpu_time_max = absl::Seconds(1);
  policy.stack_bytes_max = kMiB;
  if (!InstallDeathReports(8 * kMiB).ok() || !EnterSandbox(policy).ok()) {
    ::_exit(kExitSetupFailed);
  }
  Misbehave(how, page);
  ::_exit(0);
}

}  // namespace
}  // namespace quern

int main(int argc, char** argv) { return argc == 2 ? quern::Main(argv[1]) : 2; }
