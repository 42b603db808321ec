// Ending a daemon: found by its socket, waited for by its pidfd.
//
// Behind a socket that a service manager opened stands the manager, which must
// not get the signal.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/rpc/private_daemon.h"
#include "proto/wire/status.h"
#include "proto/wire/unique_fd.h"
#include "proto/wire/unix_socket.h"

namespace quern {
namespace {

constexpr char kDaemonName[] = "quernd";

// The process that listens at `path`.
absl::StatusOr<pid_t> ListenerOf(const std::string& path) {
  absl::StatusOr<UniqueFd> socket = ConnectUnixSocket(path, SOCK_STREAM);
  if (absl::IsUnavailable(socket.status())) {
    return absl::NotFoundError("no daemon listens there");
  }
  QUERN_RETURN_IF_ERROR(socket.status());
  ucred peer = {};
  socklen_t size = sizeof(peer);
  if (::getsockopt(socket->get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return ErrnoStatus(errno, "getsockopt(SO_PEERCRED)");
  }
  return peer.pid;
}

// The name of the program that the process runs; empty if it has ended.
std::string ProgramOf(pid_t pid) {
  const std::string path = absl::StrCat("/proc/", pid, "/comm");
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[64] = {};
  if (!file.valid()) return "";
  const ssize_t size = ::read(file.get(), text, sizeof(text) - 1);
  if (size <= 0) return "";
  return std::string(text, static_cast<size_t>(size - 1));  // Less its newline.
}

}  // namespace

absl::Status StopDaemon(const std::string& folder, absl::Duration timeout) {
  QUERN_ASSIGN_OR_RETURN(const pid_t pid,
                         ListenerOf(SocketsIn(folder).rpc_path));
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process.valid()) return ErrnoStatus(errno, "pidfd_open");
  if (const std::string name = ProgramOf(pid); name != kDaemonName) {
    return absl::FailedPreconditionError(
        absl::StrCat("the sockets belong to `", name,
                     "`, which starts the daemon when it is needed: stop the "
                     "service there, as by `systemctl stop quernd.socket "
                     "quernd.service`"));
  }
  if (::syscall(SYS_pidfd_send_signal, process.get(), SIGTERM, nullptr, 0) !=
      0) {
    return ErrnoStatus(errno, "pidfd_send_signal");
  }
  pollfd ended = {.fd = process.get(), .events = POLLIN, .revents = 0};
  const auto timeout_ms = static_cast<int>(absl::ToInt64Milliseconds(timeout));
  if (::poll(&ended, 1, timeout_ms) != 1) {
    return absl::DeadlineExceededError("the daemon has not ended in time");
  }
  return absl::OkStatus();
}

}  // namespace quern
