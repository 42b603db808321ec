// Launches whose tensors come with them, for clients without shared memory.
#ifndef QUERN_SERVER_CORE_INLINE_LAUNCHER_H_
#define QUERN_SERVER_CORE_INLINE_LAUNCHER_H_

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/kernel_key.h"
#include "server/core/session.h"

namespace quern {

struct InlineTensor {
  std::string data;
  uint64_t size_bytes = 0;  // At least the data's; zeros follow it.
  bool returned = false;
};

struct InlineArgument {
  uint64_t slot = 0;  // Of a number.
  bool is_tensor = false;
  InlineTensor tensor;
};

struct InlineLaunch {
  KernelKey key;
  std::array<uint32_t, 3> grid = {1, 1, 1};
  std::vector<InlineArgument> arguments;
};

struct InlineResult {
  std::vector<std::string> tensors;  // Those to be returned, in order.
  absl::Duration run_duration;
};

struct InlineLauncherStats {
  uint64_t launches = 0;
  uint64_t failures = 0;
  uint64_t queued = 0;
};

// Thread-safe. Every `done` is called exactly once, from a thread of the
// launcher's or before the method returns.
class InlineLauncher {
 public:
  using Done = std::function<void(absl::StatusOr<InlineResult>)>;

  virtual ~InlineLauncher() = default;

  // Runs `launch` when the turn of `session` comes, under `call`, a number not
  // in use. The errors are those that quern.v1.LaunchService.Launch lists, and
  // Cancelled.
  virtual void Launch(uint64_t call, const SessionId& session,
                      absl::Time deadline, InlineLaunch launch, Done done) = 0;

  // Ends the launch of `call` with Cancelled, if it has not ended yet.
  virtual void Cancel(uint64_t call) = 0;

  // Ends the launches that wait, and those to come, with Unavailable.
  virtual void Drain() = 0;

  // Drains, and ends those that run too.
  virtual void Stop() = 0;

  virtual InlineLauncherStats GetStats() = 0;
};

}  // namespace quern

#endif  // QUERN_SERVER_CORE_INLINE_LAUNCHER_H_
