// Landlock by its system calls: libc has no wrappers for them.
#include "server/sandbox/landlock.h"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "proto/wire/status.h"
#include "proto/wire/unique_fd.h"

namespace quern {
namespace {

// The kernel's own structure, which newer kernels made longer than Debian 12's
// header says.
struct RulesetAttributes {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;  // Since version 4.
  uint64_t scoped;              // Since version 6.
};

// How many file rights each version knows; version 1 comes first.
constexpr int kFileRights[] = {13, 14, 15, 15, 16};
constexpr int kVersions = static_cast<int>(std::size(kFileRights));

uint64_t Bits(int count) { return (uint64_t{1} << count) - 1; }

}  // namespace

int LandlockVersion() {
  const int64_t version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0,
                                    LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

absl::Status DenyAllByLandlock() {
  const int version = LandlockVersion();
  if (version == 0) {
    return absl::UnimplementedError("this kernel has no Landlock");
  }
  RulesetAttributes attributes{};
  attributes.handled_access_fs =
      Bits(kFileRights[std::min(version, kVersions) - 1]);
  size_t size = sizeof(attributes.handled_access_fs);
  if (version >= 4) {
    attributes.handled_access_net = Bits(2);  // Bind and connect by TCP.
    size = offsetof(RulesetAttributes, scoped);
  }
  if (version >= 6) {
    attributes.scoped = Bits(2);  // Abstract Unix sockets and signals.
    size = sizeof(attributes);
  }
  const UniqueFd ruleset(static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, &attributes, size, 0)));
  if (!ruleset.valid()) return ErrnoStatus(errno, "landlock_create_ruleset");
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return ErrnoStatus(errno, "landlock_restrict_self");
  }
  return absl::OkStatus();
}

}  // namespace quern
