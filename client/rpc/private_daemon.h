// A daemon of this user's own, started on demand: the embedded default.
//
// It lives in a folder that only this user can enter: /run/user/UID/quern, or
// /tmp/quern-UID where there is no such run-time folder. Any number of
// processes may ask at once: one starts it, the others wait for it. What it
// compiles it keeps on disk in the user's home, for the next one.
#ifndef QUERN_CLIENT_RPC_PRIVATE_DAEMON_H_
#define QUERN_CLIENT_RPC_PRIVATE_DAEMON_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace quern {

// Where a daemon listens.
struct DaemonSockets {
  std::string rpc_path;
  std::string attach_path;
};

// Where the sockets of the system's service lie.
inline constexpr char kServiceFolder[] = "/run/quern";

// Whether this user may use the service that listens at `sockets`; who may does
// so, and has no private daemon.
//
// NotFound: there is none.
// PermissionDenied: the sockets are for members of a group that this user is
//   not in; the message names it.
absl::Status UsableService(const DaemonSockets& sockets);

// Returns this user's folder, made if it was missing.
//
// PermissionDenied: what lies there is not a folder, is a link, belongs to
// another user, or others may enter it.
absl::StatusOr<std::string> PrivateFolder();

// Returns where this user's daemons keep kernels on disk: ~/.cache/quern, with
// the home that the system's user database names. ~/.cache is made (mode 0700)
// if it is missing; the rest the daemon makes and checks.
//
// NotFound: this user has no home there.
absl::StatusOr<std::string> PrivateCacheFolder();

// What a daemon is started with.
struct DaemonStart {
  std::string program;
  // Where it keeps kernels on disk; empty: nowhere. No value: in
  // PrivateCacheFolder, or nowhere if there is none.
  std::optional<std::string> cache_folder;
};

// The sockets of a daemon that lives in `folder`.
DaemonSockets SocketsIn(const std::string& folder);

// Returns once a daemon accepts connections in `folder`; starts one there if
// none does.
//
// NotFound: there is no such program.
// DeadlineExceeded: it did not accept within `timeout`; its log, quernd.log in
//   `folder`, says why.
absl::Status EnsureDaemon(const std::string& folder, const DaemonStart& start,
                          absl::Duration timeout);

// Asks the daemon in `folder` to end (SIGTERM) and waits until it has.
//
// NotFound: none listens there.
// PermissionDenied: it is another user's.
// DeadlineExceeded: it has not ended within `timeout`.
absl::Status StopDaemon(const std::string& folder, absl::Duration timeout);

}  // namespace quern

#endif  // QUERN_CLIENT_RPC_PRIVATE_DAEMON_H_
