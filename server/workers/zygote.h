// The compile zygote: a process that has everything ready to compile, and
// forks a child for each job.
#ifndef QUERN_SERVER_WORKERS_ZYGOTE_H_
#define QUERN_SERVER_WORKERS_ZYGOTE_H_

#include "absl/status/status.h"
#include "compiler/api/compiler.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/kernel_key.h"
#include "server/sandbox/spawn.h"

namespace quern {

// The descriptor on which the daemon gives the control socket.
inline constexpr int kControlFd = kSpawnControlFd;

struct ZygoteOptions {
  BuildId build_id{};
  TargetSpec host;
  // A small kernel that each child compiles before it is ready.
  CompileSpec warm_up;
};

// Serves the daemon at the other end of `control` until that closes. The
// process must have one thread; that is checked before each fork. Children die
// with it.
//
// OutOfRange: the daemon has closed; the normal end.
// FailedPrecondition: the process has more than one thread.
// InvalidArgument: a command that makes no sense.
absl::Status RunZygote(int control, Compiler& compiler,
                       const ZygoteOptions& options);

}  // namespace quern

#endif  // QUERN_SERVER_WORKERS_ZYGOTE_H_
