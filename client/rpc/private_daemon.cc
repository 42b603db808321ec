// Starting a daemon: one lock, one configuration, one detached process.
#include "client/rpc/private_daemon.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/rpc/pause.h"
#include "client/runtime/stopwatch.h"
#include "proto/wire/status.h"
#include "proto/wire/unique_fd.h"
#include "proto/wire/unix_socket.h"

namespace quern {
namespace {

constexpr absl::Duration kPollInterval = absl::Milliseconds(2);

// A daemon that is ending still holds the sockets, and one that is started
// meanwhile gives up at once; after this time another is started.
constexpr absl::Duration kStartPatience = absl::Milliseconds(500);

// A private daemon that nobody has used for this long ends by itself.
constexpr int kIdleTimeoutSeconds = 1800;

// Of the user database, with all its texts.
constexpr size_t kPasswdEntrySizeMax = 65536;

// Makes `path` unless it is there, and checks that it is this user's alone.
absl::Status MakePrivate(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return ErrnoStatus(errno, absl::StrCat("making ", path));
  }
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) {
    return ErrnoStatus(errno, absl::StrCat("looking at ", path));
  }
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() ||
      (status.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        path, " must be a folder of this user's that nobody else may enter"));
  }
  return absl::OkStatus();
}

bool Accepts(const std::string& path) {
  return ConnectUnixSocket(path, SOCK_STREAM).ok();
}

absl::StatusOr<UniqueFd> Lock(const std::string& path, absl::Duration timeout) {
  const Stopwatch waited;
  UniqueFd fd(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrCat("opening ", path));
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return ErrnoStatus(errno, "flock");
    }
    if (waited.elapsed() >= timeout) {
      return absl::DeadlineExceededError(
          "another process is still starting the private daemon");
    }
    Pause(kPollInterval);
  }
  return fd;
}

absl::Status WriteConfig(const std::string& path, const DaemonSockets& sockets,
                         const std::string& cache_folder) {
  std::string text = absl::StrFormat(
      "# The configuration of a private daemon; written anew at each start.\n"
      "sockets {\n  rpc_path: \"%s\"\n  attach_path: \"%s\"\n}\n"
      "idle_timeout { seconds: %d }\n",
      sockets.rpc_path, sockets.attach_path, kIdleTimeoutSeconds);
  if (!cache_folder.empty()) {
    // A home may have any name.
    const std::string escaped = absl::CEscape(cache_folder);
    absl::StrAppend(&text, "disk { path: \"", escaped, "\" }\n",
                    "diagnostics { reproducers_path: \"", escaped,
                    "/reproducers\" }\n");
  }
  const UniqueFd fd(
      ::open(path.c_str(),
             O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrCat("opening ", path));
  if (::write(fd.get(), text.data(), text.size()) !=
      static_cast<ssize_t>(text.size())) {
    return ErrnoStatus(errno, absl::StrCat("writing ", path));
  }
  return absl::OkStatus();
}

// What the daemon's program finds its report under, until it is executed.
constexpr int kReport = STDERR_FILENO + 1;

// Gives `fd` a number above `floor`. This process may have no standard
// descriptors, so that what it opens has their numbers.
absl::Status MoveAbove(int floor, UniqueFd& fd) {
  if (fd.get() > floor) return absl::OkStatus();
  fd.reset(::fcntl(fd.get(), F_DUPFD_CLOEXEC, floor + 1));
  return fd.valid() ? absl::OkStatus() : ErrnoStatus(errno, "fcntl");
}

// What the child does after the fork. Only calls that are safe there; reports
// the errno of a failed exec through `report`.
[[noreturn]] void BecomeDaemon(const char* program, const char* config, int log,
                               int report) {
  ::setsid();
  // The grandchild belongs to nobody: no process of ours has to wait for it.
  if (::fork() != 0) ::_exit(0);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::dup2(report, kReport);
  ::fcntl(kReport, F_SETFD, FD_CLOEXEC);
  ::syscall(SYS_close_range, kReport + 1, ~0U, 0);
  if (::chdir("/") != 0) ::_exit(127);
  char* const arguments[] = {const_cast<char*>(program),
                             const_cast<char*>(config), nullptr};
  char* const environment[] = {nullptr};
  ::execve(program, arguments, environment);
  const int error = errno;
  const ssize_t written = ::write(kReport, &error, sizeof(error));
  ::_exit(written == sizeof(error) ? 127 : 126);
}

absl::Status Start(const std::string& program, const std::string& config,
                   const std::string& log_path) {
  UniqueFd log(::open(
      log_path.c_str(),
      O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!log.valid()) return ErrnoStatus(errno, "opening the daemon's log");
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "pipe");
  const UniqueFd read_end(ends[0]);
  UniqueFd write_end(ends[1]);
  QUERN_RETURN_IF_ERROR(MoveAbove(kReport, log));
  QUERN_RETURN_IF_ERROR(MoveAbove(kReport, write_end));
  const pid_t pid = ::fork();
  if (pid < 0) return ErrnoStatus(errno, "fork");
  if (pid == 0) {
    BecomeDaemon(program.c_str(), config.c_str(), log.get(), write_end.get());
  }
  write_end.reset();
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  int error = 0;
  if (::read(read_end.get(), &error, sizeof(error)) == sizeof(error)) {
    return ErrnoStatus(error, absl::StrCat("starting ", program));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> PrivateFolder() {
  const uid_t user = ::geteuid();
  const std::string run_time = absl::StrCat("/run/user/", user);
  struct stat status;
  const bool has_run_time = ::stat(run_time.c_str(), &status) == 0 &&
                            S_ISDIR(status.st_mode) && status.st_uid == user &&
                            (status.st_mode & 077) == 0;
  const std::string folder = has_run_time ? absl::StrCat(run_time, "/quern")
                                          : absl::StrCat("/tmp/quern-", user);
  QUERN_RETURN_IF_ERROR(MakePrivate(folder));
  return folder;
}

absl::StatusOr<std::string> PrivateCacheFolder() {
  std::vector<char> buffer(kPasswdEntrySizeMax);
  passwd entry;
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) !=
          0 ||
      found == nullptr || found->pw_dir[0] != '/') {
    return absl::NotFoundError("this user has no home folder");
  }
  const std::string parent = absl::StrCat(found->pw_dir, "/.cache");
  // If it cannot be made the daemon says so, and works without it.
  ::mkdir(parent.c_str(), 0700);
  return absl::StrCat(parent, "/quern");
}

DaemonSockets SocketsIn(const std::string& folder) {
  return {.rpc_path = absl::StrCat(folder, "/rpc.sock"),
          .attach_path = absl::StrCat(folder, "/attach.sock")};
}

absl::Status EnsureDaemon(const std::string& folder, const DaemonStart& start,
                          absl::Duration timeout) {
  const DaemonSockets sockets = SocketsIn(folder);
  if (Accepts(sockets.rpc_path)) return absl::OkStatus();
  const Stopwatch waited;
  QUERN_ASSIGN_OR_RETURN(const UniqueFd lock,
                         Lock(absl::StrCat(folder, "/lock"), timeout));
  if (Accepts(sockets.rpc_path)) return absl::OkStatus();
  const std::string config = absl::StrCat(folder, "/daemon.textproto");
  QUERN_RETURN_IF_ERROR(WriteConfig(
      config, sockets,
      start.cache_folder ? *start.cache_folder
                         : PrivateCacheFolder().value_or(std::string())));
  const std::string log = absl::StrCat(folder, "/quernd.log");
  while (waited.elapsed() < timeout) {
    QUERN_RETURN_IF_ERROR(Start(start.program, config, log));
    const Stopwatch started;
    const absl::Duration patience =
        std::min(timeout - waited.elapsed(), kStartPatience);
    while (started.elapsed() < patience) {
      if (Accepts(sockets.rpc_path)) return absl::OkStatus();
      Pause(kPollInterval);
    }
  }
  return absl::DeadlineExceededError(
      absl::StrCat("the private daemon does not accept; see ", log));
}

}  // namespace quern
