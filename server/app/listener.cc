// Binding sockets to paths.
#include "server/app/listener.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

// As many as the system lets wait: a client that finds no room, and may not
// wait, fails. An accept is all that one costs.
constexpr int kBacklog = SOMAXCONN;

// Removes the socket that lies at `path`, if any.
absl::Status RemoveStale(const std::string& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) {
    return errno == ENOENT ? absl::OkStatus()
                           : ErrnoStatus(errno, absl::StrCat("stat ", path));
  }
  if (!S_ISSOCK(status.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " exists and is not a socket"));
  }
  if (::unlink(path.c_str()) != 0) {
    return ErrnoStatus(errno, absl::StrCat("remove ", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<PathLock> PathLock::Take(const std::string& path) {
  const std::string name = absl::StrCat(path, ".lock");
  UniqueFd fd(
      ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) return ErrnoStatus(errno, absl::StrCat("open ", name));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return PathLock(std::move(fd));
  if (errno == EWOULDBLOCK) {
    return absl::AlreadyExistsError(
        absl::StrCat("another daemon listens at ", path));
  }
  return ErrnoStatus(errno, absl::StrCat("lock ", name));
}

absl::StatusOr<Listener> Listener::Open(const std::string& path, int type,
                                        uint32_t mode) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path of a socket is too long: ", path));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  QUERN_RETURN_IF_ERROR(RemoveStale(path));
  UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return ErrnoStatus(errno, "socket");
  // Nobody can connect before listen, so the mode is in force before that.
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address),
             sizeof(address)) != 0) {
    return ErrnoStatus(errno, absl::StrCat("bind ", path));
  }
  Listener listener(path, std::move(socket));
  if (::chmod(path.c_str(), mode) != 0) {
    return ErrnoStatus(errno, absl::StrCat("chmod ", path));
  }
  if (::listen(listener.socket_.get(), kBacklog) != 0) {
    return ErrnoStatus(errno, absl::StrCat("listen ", path));
  }
  return listener;
}

Listener::~Listener() {
  if (!path_.empty() && InPlace()) ::unlink(path_.c_str());
}

bool Listener::InPlace() const {
  const std::optional<FileId> file = FileAt(path_);
  if (!file) return errno != ENOENT && errno != ENOTDIR;
  return file == file_;
}

std::optional<Listener::FileId> Listener::FileAt(const std::string& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId(status.st_dev, status.st_ino);
}

}  // namespace quern
