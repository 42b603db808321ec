// The compiler as the core sees it: confined processes that take one job each.
#ifndef QUERN_SERVER_CORE_COMPILER_POOL_H_
#define QUERN_SERVER_CORE_COMPILER_POOL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "compiler/api/compiler.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/kernel_key.h"
#include "server/core/deadline.h"

namespace quern {

// Where the time of a compile went. See quern.v1.CompileTimings.
struct CompileTimings {
  absl::Duration queue;
  absl::Duration parse;
  absl::Duration plan;
  absl::Duration emit;
  absl::Duration optimize;
  absl::Duration generate;
  absl::Duration link;
  absl::Duration publish;
  absl::Duration child_cpu;
  uint32_t ir_instructions = 0;
};

struct CompileJob {
  std::shared_ptr<const CompileSpec> spec;  // The target is resolved.
  KernelKey key;
  CompileOutput output = CompileOutput::kImage;
};

// What came of a job.
struct CompileOutcome {
  absl::Status status;
  // The process ended without a result, and the source is to blame: another
  // attempt would likely end the same way.
  bool source_is_deadly = false;
  std::string bytes;  // Not checked yet: the compiler is not trusted.
  CompileTimings timings;
};

// Processes that ended without a result, by cause.
struct ChildDeaths {
  uint64_t crashed = 0;
  uint64_t out_of_memory = 0;
  uint64_t stack_overflow = 0;
  uint64_t timed_out = 0;
  uint64_t denied_syscall = 0;
  uint64_t killed = 0;
  uint64_t protocol_error = 0;
};

struct CompilerPoolStats {
  uint64_t children_forked = 0;
  ChildDeaths children_dead;
  uint64_t zygote_restarts = 0;
  std::vector<std::string> sandbox_missing;
};

// Thread-safe. Every Start is answered by exactly one call of its `done`, from
// a thread of the pool, with no lock held.
class CompilerPool {
 public:
  using Done = std::function<void(CompileOutcome)>;

  virtual ~CompilerPool() = default;

  // Runs `job` as soon as a process is ready for it, until `deadline` or the
  // pool's own limit on the time of a compile. Jobs begin in the order of
  // their Starts. Returns a ticket for Cancel.
  //
  // The statuses that `done` gets: those of Compiler::Compile, and
  // Internal: the process crashed, or gave no proper result.
  // ResourceExhausted: it ran out of memory.
  // DeadlineExceeded: it ran out of time.
  // Cancelled: by Cancel.
  // Unavailable: there is no compiler now.
  virtual uint64_t Start(CompileJob job,
                         std::shared_ptr<const Deadline> deadline,
                         Done done) = 0;

  // Ends the job with Cancelled, if it has not ended yet.
  virtual void Cancel(uint64_t ticket) = 0;

  virtual CompilerPoolStats GetStats() = 0;

  // Whether the pool's thread has turned since the last call of this; also
  // makes it turn. For one watcher. The first call is true.
  virtual bool Responds() = 0;
};

}  // namespace quern

#endif  // QUERN_SERVER_CORE_COMPILER_POOL_H_
