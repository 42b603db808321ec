// stop: ends the private daemon and waits until it is gone.
#include "client/cli/commands.h"
#include "client/cli/session.h"
#include "client/rpc/private_daemon.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr absl::Duration kStopTimeout = absl::Seconds(30);

}  // namespace

absl::Status RunStop(const Words& words) {
  QUERN_ASSIGN_OR_RETURN(const Arguments arguments,
                         Arguments::Parse(words, {}));
  std::string folder = arguments.Get("sockets", "");
  if (folder.empty()) {
    QUERN_ASSIGN_OR_RETURN(folder, PrivateFolder());
  }
  return StopDaemon(folder, kStopTimeout);
}

}  // namespace quern
