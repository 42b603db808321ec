// Compile jobs and their results as messages of quern.worker.v1.
#ifndef QUERN_SERVER_WORKERS_JOB_MESSAGES_H_
#define QUERN_SERVER_WORKERS_JOB_MESSAGES_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "compiler/api/compiler.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/kernel_key.h"
#include "server/core/compiler_pool.h"

namespace quern {

// What a child is to do.
struct ReceivedJob {
  CompileSpec spec;
  KernelKey key;
  CompileOutput output = CompileOutput::kImage;
};

// The bytes of a Job.
std::string EncodeJob(const CompileJob& job);

// InvalidArgument: not the bytes of a Job.
absl::StatusOr<ReceivedJob> DecodeJob(std::string_view bytes);

// The bytes of a Result.
std::string EncodeResult(const absl::StatusOr<CompileResult>& result,
                         CompileOutput output, absl::Duration cpu_time);

// Reads what a child sent, which may be anything.
//
// InvalidArgument: not the bytes of a Result that a child may give: an unknown
//   status, a duration out of range, or a success without bytes.
absl::StatusOr<CompileOutcome> DecodeResult(std::string_view bytes,
                                            CompileOutput output);

}  // namespace quern

#endif  // QUERN_SERVER_WORKERS_JOB_MESSAGES_H_
