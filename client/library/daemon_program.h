// Where the daemon's program lies.
#ifndef QUERN_CLIENT_LIBRARY_DAEMON_PROGRAM_H_
#define QUERN_CLIENT_LIBRARY_DAEMON_PROGRAM_H_

#include <string>

#include "absl/status/statusor.h"

namespace quern {

// Returns the path of quernd: in the folder of the program or library that
// holds this function, or in `bin` beside or one or two folders above it.
//
// NotFound: in none of them.
absl::StatusOr<std::string> FindDaemonProgram();

}  // namespace quern

#endif  // QUERN_CLIENT_LIBRARY_DAEMON_PROGRAM_H_
