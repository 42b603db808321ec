// Landlock with no rule: no file, no network, no signal to outside.
#ifndef QUERN_SERVER_SANDBOX_LANDLOCK_H_
#define QUERN_SERVER_SANDBOX_LANDLOCK_H_

#include "absl/status/status.h"

namespace quern {

// The kernel's Landlock ABI version; 0 if it has none.
int LandlockVersion();

// Denies the calling thread everything that this kernel's Landlock knows.
// Needs no-new-privileges.
//
// Unimplemented: the kernel has no Landlock.
absl::Status DenyAllByLandlock();

}  // namespace quern

#endif  // QUERN_SERVER_SANDBOX_LANDLOCK_H_
