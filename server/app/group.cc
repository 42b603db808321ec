// Looking a group up.
#include "server/app/group.h"

#include <grp.h>

#include <cerrno>
#include <vector>

#include "absl/strings/str_cat.h"

namespace quern {
namespace {

constexpr size_t kFirstBufferSize = size_t{4} << 10;
constexpr size_t kBufferSizeMax = size_t{16} << 20;

}  // namespace

absl::StatusOr<uint32_t> FindGroup(const std::string& name) {
  std::vector<char> buffer(kFirstBufferSize);
  group entry{};
  group* found = nullptr;
  int error = 0;
  // A group of many members takes a larger buffer.
  while ((error = ::getgrnam_r(name.c_str(), &entry, buffer.data(),
                               buffer.size(), &found)) == ERANGE &&
         buffer.size() < kBufferSizeMax) {
    buffer.resize(2 * buffer.size());
  }
  if (found != nullptr) return entry.gr_gid;
  // Some lists of groups say by an error that they do not hold one.
  if (error == 0 || error == ENOENT || error == ESRCH) {
    return absl::NotFoundError(
        absl::StrCat("this machine has no group `", name, "`"));
  }
  return absl::UnavailableError(absl::StrCat(
      "the group `", name, "` cannot be looked up: error ", error));
}

}  // namespace quern
