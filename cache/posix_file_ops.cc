// File operations by system calls, all relative to one open folder.
#include "cache/posix_file_ops.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "proto/wire/status.h"
#include "proto/wire/unique_fd.h"

namespace quern {
namespace {

// Of errno. A medium that cannot be read is damage like any other. The name is
// left out: who fails again and again should be seen to fail in one way.
absl::Status Failed(std::string_view what) {
  const int error = errno;
  const std::string doing = absl::StrCat(std::string(what), " a kernel");
  if (error == EIO) return absl::DataLossError(absl::StrCat(doing, ": EIO"));
  if (error == EEXIST) return absl::AlreadyExistsError(doing);
  return ErrnoStatus(error, doing);
}

FileInfo InfoOf(std::string name, const struct stat& status) {
  return {.name = std::move(name),
          .size_bytes = static_cast<uint64_t>(status.st_size),
          .modified = absl::TimeFromTimespec(status.st_mtim)};
}

class PosixWritableFile final : public WritableFile {
 public:
  explicit PosixWritableFile(UniqueFd fd) : fd_(std::move(fd)) {}

  absl::Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = ::write(fd_.get(), bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Failed("writing");
      bytes.remove_prefix(static_cast<size_t>(count));
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    if (::fdatasync(fd_.get()) != 0) return Failed("syncing");
    return absl::OkStatus();
  }

 private:
  const UniqueFd fd_;
};

// The folder at `path`, made if it is missing.
absl::StatusOr<UniqueFd> OpenChecked(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST && errno != EROFS &&
      errno != EACCES) {
    return ErrnoStatus(errno, absl::StrCat("making ", path));
  }
  UniqueFd folder(
      ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status;
  if (!folder.valid() && (errno == ENOTDIR || errno == ELOOP)) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " must be a folder, and no link to one"));
  }
  if (!folder.valid() || ::fstat(folder.get(), &status) != 0) {
    return ErrnoStatus(errno, absl::StrCat("opening ", path));
  }
  if (status.st_uid != ::geteuid() || (status.st_mode & 022) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " must be this user's, and nobody else may write"));
  }
  return folder;
}

class PosixFileOps final : public FileOps {
 public:
  PosixFileOps(std::string path, UniqueFd folder)
      : path_(std::move(path)),
        folder_(std::make_shared<const UniqueFd>(std::move(folder))) {}

  absl::StatusOr<std::string> Read(const std::string& name,
                                   uint64_t size_bytes_max) override {
    // O_NONBLOCK: somebody may have put a pipe there.
    const UniqueFd fd(::openat(CurrentFolder()->get(), name.c_str(),
                               O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd.valid() && errno == ELOOP) return NotRegular(name);
    if (!fd.valid()) return Failed("opening");
    struct stat status;
    if (::fstat(fd.get(), &status) != 0) return Failed("looking at");
    if (!S_ISREG(status.st_mode)) return NotRegular(name);
    if (static_cast<uint64_t>(status.st_size) > size_bytes_max) {
      return absl::InvalidArgumentError(absl::StrCat(name, " is too long"));
    }
    std::string bytes(static_cast<size_t>(status.st_size), '\0');
    size_t size = 0;
    while (size < bytes.size()) {
      const ssize_t count =
          ::read(fd.get(), bytes.data() + size, bytes.size() - size);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Failed("reading");
      if (count == 0) break;  // It has been cut since.
      size += static_cast<size_t>(count);
    }
    bytes.resize(size);
    return bytes;
  }

  absl::StatusOr<std::string> ReadCached(const std::string& name,
                                         uint64_t size_bytes_max) override {
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    how.resolve = RESOLVE_CACHED;
    const Folder folder = CurrentFolder();
    const UniqueFd fd(static_cast<int>(::syscall(
        SYS_openat2, folder->get(), name.c_str(), &how, sizeof(how))));
    if (!fd.valid() && errno == ENOENT) return Failed("opening");
    struct stat status;
    if (!fd.valid() || ::fstat(fd.get(), &status) != 0 ||
        !S_ISREG(status.st_mode)) {
      return NotCached();
    }
    const auto size = static_cast<size_t>(status.st_size);
    if (size > size_bytes_max) {
      return absl::InvalidArgumentError(absl::StrCat(name, " is too long"));
    }
    std::string bytes(size, '\0');
    const iovec part{.iov_base = bytes.data(), .iov_len = size};
    if (::preadv2(fd.get(), &part, 1, 0, RWF_NOWAIT) !=
        static_cast<ssize_t>(size)) {
      return NotCached();
    }
    return bytes;
  }

  absl::StatusOr<std::unique_ptr<WritableFile>> Create(
      const std::string& name) override {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    Folder folder = CurrentFolder();
    UniqueFd fd(::openat(folder->get(), name.c_str(), kFlags, 0600));
    // Where the folder is there a name may be new.
    if (!fd.valid() && errno == ENOENT) {
      QUERN_ASSIGN_OR_RETURN(folder, MakeAnew());
      fd.reset(::openat(folder->get(), name.c_str(), kFlags, 0600));
    }
    if (!fd.valid()) return Failed("making");
    // The kernel lets go of it when this process ends, however it ends.
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      return Failed("locking");
    }
    return std::make_unique<PosixWritableFile>(std::move(fd));
  }

  absl::Status RemoveAbandoned(const std::string& name) override {
    const UniqueFd fd(::openat(CurrentFolder()->get(), name.c_str(),
                               O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd.valid()) return Failed("opening");
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      return Failed("locking");
    }
    return Remove(name);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    const Folder folder = CurrentFolder();
    if (::renameat(folder->get(), from.c_str(), folder->get(), to.c_str()) !=
        0) {
      return Failed("renaming");
    }
    return absl::OkStatus();
  }

  absl::Status Remove(const std::string& name) override {
    const Folder folder = CurrentFolder();
    if (::unlinkat(folder->get(), name.c_str(), 0) == 0) {
      return absl::OkStatus();
    }
    // A folder of an entry's name is in the way of the entry.
    if (errno == EISDIR &&
        ::unlinkat(folder->get(), name.c_str(), AT_REMOVEDIR) == 0) {
      return absl::OkStatus();
    }
    return Failed("removing");
  }

  absl::Status SetModified(const std::string& name, absl::Time time) override {
    const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                               absl::ToTimespec(time)};
    if (::utimensat(CurrentFolder()->get(), name.c_str(), times,
                    AT_SYMLINK_NOFOLLOW) != 0) {
      return Failed("dating");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<FileInfo> Inspect(const std::string& name) override {
    struct stat status;
    if (::fstatat(CurrentFolder()->get(), name.c_str(), &status,
                  AT_SYMLINK_NOFOLLOW) != 0) {
      return Failed("looking at");
    }
    return InfoOf(name, status);
  }

  absl::StatusOr<std::vector<FileInfo>> List() override {
    // A descriptor of its own: each has one position in the folder.
    const int fd = ::openat(CurrentFolder()->get(), ".",
                            O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const listing = fd < 0 ? nullptr : ::fdopendir(fd);
    if (listing == nullptr) {
      const absl::Status status = Failed("looking for");
      if (fd >= 0) ::close(fd);
      return status;
    }
    std::vector<FileInfo> files;
    errno = 0;
    while (const dirent* entry = ::readdir(listing)) {
      struct stat status;
      if (::fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISREG(status.st_mode)) {
        files.push_back(InfoOf(entry->d_name, status));
      }
      errno = 0;
    }
    const absl::Status status =
        errno == 0 ? absl::OkStatus() : Failed("looking for");
    ::closedir(listing);
    if (!status.ok()) return status;
    return files;
  }

 private:
  // Kept open by whoever uses it: it may be replaced meanwhile.
  using Folder = std::shared_ptr<const UniqueFd>;

  Folder CurrentFolder() {
    std::lock_guard lock(mutex_);
    return folder_;
  }

  // Somebody has removed the folder: begins with an empty one at its path.
  absl::StatusOr<Folder> MakeAnew() {
    QUERN_ASSIGN_OR_RETURN(UniqueFd fresh, OpenChecked(path_));
    std::lock_guard lock(mutex_);
    folder_ = std::make_shared<const UniqueFd>(std::move(fresh));
    return folder_;
  }

  static absl::Status NotCached() {
    return absl::UnavailableError("not in memory");
  }

  static absl::Status NotRegular(const std::string& name) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is not a regular file"));
  }

  const std::string path_;
  std::mutex mutex_;
  Folder folder_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<FileOps>> OpenFolder(const std::string& path) {
  QUERN_ASSIGN_OR_RETURN(UniqueFd folder, OpenChecked(path));
  return std::make_unique<PosixFileOps>(path, std::move(folder));
}

}  // namespace quern
