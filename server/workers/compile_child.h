// The compile child: one confined process, one job.
#ifndef QUERN_SERVER_WORKERS_COMPILE_CHILD_H_
#define QUERN_SERVER_WORKERS_COMPILE_CHILD_H_

#include "compiler/api/compiler.h"
#include "proto/wire/compile_spec.h"
#include "server/sandbox/policy.h"

namespace quern {

struct CompileChildOptions {
  SandboxPolicy policy;
  CompileLimits limits;
  // Compiled before the child is ready: the first compile after a fork pays
  // for pages that are shared until they are written.
  CompileSpec warm_up;
};

// Warms up, enters the sandbox, says Ready on `socket`, takes one job, gives
// its result, and ends the process: with 0, or as outcome.h says. Call it in
// the one thread of a process that was forked for it; it leaves that process
// no descriptor but `socket` and standard ones that lead nowhere.
[[noreturn]] void RunCompileChild(int socket, Compiler& compiler,
                                  const CompileChildOptions& options);

}  // namespace quern

#endif  // QUERN_SERVER_WORKERS_COMPILE_CHILD_H_
