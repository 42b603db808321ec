// What a compile child does, from fork to exit.
#include "server/workers/compile_child.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "quern/worker/v1/worker.pb.h"
#include "server/sandbox/death_reports.h"
#include "server/sandbox/outcome.h"
#include "server/workers/job_messages.h"
#include "server/workers/stream_message.h"

namespace quern {
namespace {

// A source is bounded by the daemon; this only bounds a broken daemon.
constexpr size_t kJobSizeMax = size_t{64} << 20;

// After the standard descriptors.
constexpr int kSocket = 3;

// Leaves `socket` as descriptor 3 and nothing else that leads anywhere.
bool KeepOnly(int socket) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || ::dup2(socket, kSocket) < 0) return false;
  for (int fd = 0; fd < kSocket; ++fd) {
    if (::dup2(null, fd) < 0) return false;
  }
  return ::close_range(kSocket + 1, ~0U, 0) == 0;
}

absl::Duration CpuTime() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return absl::DurationFromTimeval(usage.ru_utime) +
         absl::DurationFromTimeval(usage.ru_stime);
}

// The result does not matter; what it touched stays warm.
void WarmUp(Compiler& compiler, const CompileChildOptions& options) {
  compiler
      .Compile(options.warm_up, KernelKey{}, CompileOutput::kImage,
               options.limits)
      .IgnoreError();
}

absl::Status SayReady() {
  return WriteMessage(kSocket, worker::v1::Ready().SerializeAsString());
}

// False: the daemon is gone, or makes no sense.
bool TakeOneJob(Compiler& compiler, const CompileLimits& limits) {
  const absl::StatusOr<std::string> bytes = ReadMessage(kSocket, kJobSizeMax);
  if (!bytes.ok()) return absl::IsOutOfRange(bytes.status());
  const absl::Duration begin = CpuTime();
  const absl::StatusOr<ReceivedJob> job = DecodeJob(*bytes);
  if (!job.ok()) return false;
  const absl::StatusOr<CompileResult> result =
      compiler.Compile(job->spec, job->key, job->output, limits);
  return WriteMessage(kSocket,
                      EncodeResult(result, job->output, CpuTime() - begin))
      .ok();
}

}  // namespace

void RunCompileChild(int socket, Compiler& compiler,
                     const CompileChildOptions& options) {
  // A compile that has used all but an eighth of its memory, and then faults,
  // has run out of it.
  const uint64_t reserve = options.policy.added_memory_bytes_max / 8;
  if (!KeepOnly(socket) || !InstallDeathReports(reserve).ok()) {
    ::_exit(kExitSetupFailed);
  }
  WarmUp(compiler, options);
  if (!EnterSandbox(options.policy).ok()) ::_exit(kExitSetupFailed);
  if (!SayReady().ok()) ::_exit(0);
  ::_exit(TakeOneJob(compiler, options.limits) ? 0 : EXIT_FAILURE);
}

}  // namespace quern
