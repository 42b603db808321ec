// Runs inline launches in executors, one or a few for each session.
#ifndef QUERN_SERVER_EXECUTOR_INLINE_LAUNCHER_H_
#define QUERN_SERVER_EXECUTOR_INLINE_LAUNCHER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/unique_fd.h"
#include "server/core/admission_queue.h"
#include "server/core/clock.h"
#include "server/core/inline_launcher.h"

namespace quern {

struct InlineLauncherOptions {
  // Launches at a time, of all sessions together; of one there is only one.
  uint32_t threads = 4;
  AdmissionLimits queue = {.queued_max = 64, .queued_per_session_max = 16};
  // Of the tensors of launches that run or wait.
  uint64_t tensor_bytes_max = uint64_t{128} << 20;
  // Executors that wait for another launch of their session, and for how long.
  size_t idle_max = 4;
  absl::Duration idle_timeout = absl::Seconds(30);
};

// Gives a connection to the attach server.
using AttachFn = std::function<absl::StatusOr<UniqueFd>()>;

// `clock` must outlive the result, and what `attach` uses.
std::unique_ptr<InlineLauncher> NewInlineLauncher(
    const InlineLauncherOptions& options, AttachFn attach, Clock& clock);

}  // namespace quern

#endif  // QUERN_SERVER_EXECUTOR_INLINE_LAUNCHER_H_
