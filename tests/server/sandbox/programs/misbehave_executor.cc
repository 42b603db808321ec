// A program that enters an executor's sandbox, with a thread, and then
// misbehaves in the one way that its argument names: in the thread, if the
// argument ends with "_in_thread".
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/sandbox/executor_policy.h"
#include "server/sandbox/outcome.h"

namespace quern {
namespace {

constexpr size_t kPage = 4096;

[[noreturn]] void ReportOutOfMemory() { ::_exit(kExitOutOfMemory); }

void* Map(size_t size, int protection, int flags, int fd) {
  return ::mmap(nullptr, size, protection, flags, fd, 0);
}

// Everything that an executor does: memory of others' mapped for writing, or
// for running, messages, and much memory of its own.
void Behave(int memory) {
  void* data = Map(kPage, PROT_READ | PROT_WRITE, MAP_SHARED, memory);
  void* code = Map(kPage, PROT_READ | PROT_EXEC, MAP_SHARED, memory);
  if (data == MAP_FAILED || code == MAP_FAILED) ::_exit(1);
  ::munmap(data, kPage);
  std::vector<std::string> blocks;
  for (int i = 0; i < 1000; ++i) blocks.emplace_back(10'000, 'x');
  ::close(memory);
}

void Misbehave(std::string_view how, int memory, void* page) {
  constexpr int kWritableCode = PROT_READ | PROT_WRITE | PROT_EXEC;
  if (how == "behave") Behave(memory);
  if (how == "open") ::open("/etc/hostname", O_RDONLY);
  if (how == "stat") ::access("/etc/hostname", R_OK);
  if (how == "socket") ::socket(AF_UNIX, SOCK_STREAM, 0);
  if (how == "fork") ::fork();
  if (how == "start_thread") std::thread([] {}).join();
  if (how == "kill_parent") ::kill(::getppid(), 0);
  if (how == "map_writable_code") {
    Map(kPage, kWritableCode, MAP_SHARED, memory);
  }
  if (how == "map_anonymous_code") {
    Map(kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  }
  if (how == "make_executable") {
    ::mprotect(page, kPage, PROT_READ | PROT_EXEC);
  }
  if (how == "make_memory") ::memfd_create("x", 0);
  if (how == "allocate") {
    std::vector<std::string> blocks;
    while (true) blocks.emplace_back(1 << 20, 'x');
  }
  if (how == "null") {
    volatile int* volatile nowhere = nullptr;
    *nowhere = 1;
  }
}

int Main(std::string how) {
  std::set_new_handler(ReportOutOfMemory);
  const int memory = ::memfd_create("shared", MFD_CLOEXEC);
  if (::ftruncate(memory, kPage) != 0) return 1;
  void* page =
      Map(kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  const std::string suffix = "_in_thread";
  const bool in_thread =
      how.size() > suffix.size() &&
      how.compare(how.size() - suffix.size(), suffix.size(), suffix) == 0;
  if (in_thread) how.resize(how.size() - suffix.size());
  std::atomic<int> turn = 0;
  std::thread thread;
  ExecutorPolicy policy;
  policy.added_memory_bytes_max = 64 << 20;
  const absl::Status status = EnterExecutorSandbox(policy, [&] {
    thread = std::thread([&] {
      turn = 1;
      turn.notify_all();
      turn.wait(1);
      Misbehave(how, memory, page);
      ::_exit(0);
    });
    turn.wait(0);
    return absl::OkStatus();
  });
  if (!status.ok()) ::_exit(kExitSetupFailed);
  if (in_thread) {
    turn = 2;
    turn.notify_all();
    turn.wait(2);
  }
  Misbehave(how, memory, page);
  ::_exit(0);
}

}  // namespace
}  // namespace quern

int main(int argc, char** argv) { return argc == 2 ? quern::Main(argv[1]) : 2; }
