// Looking for the system's service.
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/rpc/private_daemon.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr size_t kGroupSizeMax = size_t{64} << 10;

// The group's name, or its number if it has no name here.
std::string GroupName(gid_t number) {
  std::string buffer(kGroupSizeMax, '\0');
  group entry{};
  group* found = nullptr;
  ::getgrgid_r(number, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? absl::StrCat(number) : found->gr_name;
}

absl::Status Usable(const std::string& path) {
  if (::access(path.c_str(), R_OK | W_OK) == 0) return absl::OkStatus();
  struct stat status;
  if (errno != EACCES || ::stat(path.c_str(), &status) != 0) {
    return ErrnoStatus(errno, path);
  }
  return absl::PermissionDeniedError(absl::StrCat(
      path, " is for members of the group `", GroupName(status.st_gid), "`"));
}

}  // namespace

absl::Status UsableService(const DaemonSockets& sockets) {
  QUERN_RETURN_IF_ERROR(Usable(sockets.rpc_path));
  return Usable(sockets.attach_path);
}

}  // namespace quern
