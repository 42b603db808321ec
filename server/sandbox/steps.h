// The steps by which a process enters its sandbox; the policies order them.
#ifndef QUERN_SERVER_SANDBOX_STEPS_H_
#define QUERN_SERVER_SANDBOX_STEPS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/wire/unique_fd.h"
#include "server/sandbox/policy.h"

namespace quern {

// FailedPrecondition: a layer is missing and `mode` is kRequired.
absl::Status CheckSandboxLayers(SandboxMode mode);

// Gives up new privileges, files and network (Landlock), and executable memory
// that was writable (MDWE), as far as the machine can. Landlock holds for the
// calling thread and those that it starts; the rest for the process.
absl::Status GiveUpPrivileges();

// Opens the file that MappedBytes reads, for later.
absl::StatusOr<UniqueFd> OpenMappedBytes();

// The bytes of address space that this process has mapped, by `statm`.
absl::StatusOr<uint64_t> MappedBytes(int statm);

// Bounds `resource`, an RLIMIT_..., for good. A tighter bound that the daemon
// was started under stays.
absl::Status LimitResource(int resource, uint64_t soft, uint64_t hard);

}  // namespace quern

#endif  // QUERN_SERVER_SANDBOX_STEPS_H_
