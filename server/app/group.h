// The groups of this machine.
#ifndef QUERN_SERVER_APP_GROUP_H_
#define QUERN_SERVER_APP_GROUP_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace quern {

// Returns the number of the group `name`. Thread-safe.
//
// NotFound: this machine has no such group.
// Unavailable: its list of groups cannot be read now.
absl::StatusOr<uint32_t> FindGroup(const std::string& name);

}  // namespace quern

#endif  // QUERN_SERVER_APP_GROUP_H_
