// The daemon's end of a compile zygote.
#ifndef QUERN_SERVER_WORKERS_ZYGOTE_PROCESS_H_
#define QUERN_SERVER_WORKERS_ZYGOTE_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/wire/unique_fd.h"
#include "server/core/compiler_gate.h"

namespace quern {

// What a zygote tells its children to keep to.
struct ZygoteSetup {
  uint64_t memory_bytes_max = uint64_t{2} << 30;
  absl::Duration cpu_time_max = absl::Seconds(60);
  bool sandbox_required = true;
  uint32_t nesting_max = 256;
};

// What a zygote reports.
struct ZygoteHello {
  CompilerIdentity identity;
  std::vector<std::string> sandbox_missing;
};
struct ChildForked {
  uint64_t id = 0;
  UniqueFd pidfd;
};
struct ChildExited {
  uint64_t id = 0;
  int wait_status = 0;
};
using ZygoteReport = std::variant<ZygoteHello, ChildForked, ChildExited>;

// A running zygote. Not thread-safe; its end ends the process and reaps it.
class ZygoteProcess {
 public:
  virtual ~ZygoteProcess() = default;

  // Readable when a report has come or the zygote is gone.
  virtual int fd() const = 0;

  // Asks for a child that talks on `socket`.
  //
  // Unavailable: the zygote is gone.
  virtual absl::Status Fork(uint64_t id, int socket) = 0;

  // The next report; none if none has come.
  //
  // OutOfRange: the zygote is gone.
  // InvalidArgument: it reported what makes no sense.
  virtual absl::StatusOr<std::optional<ZygoteReport>> Receive() = 0;
};

// Starts zygotes. A parameter, because it creates processes.
class ZygoteStarter {
 public:
  virtual ~ZygoteStarter() = default;

  // NotFound: there is no such program.
  virtual absl::StatusOr<std::unique_ptr<ZygoteProcess>> Start(
      const ZygoteSetup& setup) = 0;
};

// Starts the program at `path`, with an empty environment and no descriptor
// but the control socket (kControlFd), /dev/null for input and output, and
// this process's standard error.
std::unique_ptr<ZygoteStarter> NewZygoteStarter(std::string path);

}  // namespace quern

#endif  // QUERN_SERVER_WORKERS_ZYGOTE_PROCESS_H_
