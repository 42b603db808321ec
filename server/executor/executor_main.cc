// quern-executor: the program that runs a session's launches, confined.
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <new>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/runtime/cpu_count.h"
#include "proto/wire/packet.h"
#include "proto/wire/status.h"
#include "server/executor/control_messages.h"
#include "server/executor/executor.h"
#include "server/sandbox/executor_policy.h"
#include "server/sandbox/outcome.h"
#include "server/sandbox/spawn.h"

namespace quern {
namespace {

constexpr int kControl = kSpawnControlFd;

// The standard library allocates by operator new, which has nobody to tell.
[[noreturn]] void ReportOutOfMemory() { ::_exit(kExitOutOfMemory); }

absl::StatusOr<ExecutorSetup> ReceiveSetup() {
  QUERN_ASSIGN_OR_RETURN(const Packet packet,
                         ReceivePacket(kControl, sizeof(ExecutorSetup)));
  ExecutorSetup setup;
  if (!MessageFromBytes(packet.bytes, setup)) {
    return absl::InvalidArgumentError("not a setup");
  }
  return setup;
}

// The threads that start later run where this one does. A CPU that is not
// there any more is left out by the kernel; if none is left, any will do.
void ChooseCpus(const ExecutorSetup& setup) {
  cpu_set_t set;
  CPU_ZERO(&set);
  bool any = false;
  for (size_t cpu = 0; cpu < 64 * setup.cpus.size(); ++cpu) {
    if ((setup.cpus[cpu / 64] >> cpu % 64 & 1) != 0) {
      CPU_SET(cpu, &set);
      any = true;
    }
  }
  if (any && ::sched_setaffinity(0, sizeof(set), &set) != 0) return;
}

absl::Status Run(const ExecutorSetup& setup) {
  // What a kernel prints is not the daemon's to log.
  if (::dup2(STDIN_FILENO, STDERR_FILENO) < 0) ::_exit(kExitSetupFailed);
  ChooseCpus(setup);
  const uint32_t threads =
      setup.thread_count == 0 ? UsableCpuCount() : setup.thread_count;
  ExecutorPolicy policy;
  policy.added_memory_bytes_max = setup.memory_bytes_max;
  policy.mode = setup.sandbox_required != 0 ? SandboxMode::kRequired
                                            : SandboxMode::kBestEffort;
  std::optional<Executor> executor;
  const absl::Status confined = EnterExecutorSandbox(policy, [&] {
    executor.emplace(setup.rings_max, threads);
    return absl::OkStatus();
  });
  if (!confined.ok()) ::_exit(kExitSetupFailed);
  QUERN_RETURN_IF_ERROR(SendPacket(kControl, MessageBytes(ExecutorAnswer{})));
  const absl::Status status = ServeCommands(kControl, *executor);
  // The daemon's end is the normal end, and nothing that runs is waited for.
  ::_exit(absl::IsOutOfRange(status) ? EXIT_SUCCESS : EXIT_FAILURE);
}

}  // namespace
}  // namespace quern

int main() {
  std::set_new_handler(quern::ReportOutOfMemory);
  const absl::StatusOr<quern::ExecutorSetup> setup = quern::ReceiveSetup();
  if (!setup.ok()) return EXIT_FAILURE;
  return quern::Run(*setup).ok() ? EXIT_SUCCESS : EXIT_FAILURE;
}
