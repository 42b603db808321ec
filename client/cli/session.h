// What commands share: a client by the command line's options, and output.
#ifndef QUERN_CLIENT_CLI_SESSION_H_
#define QUERN_CLIENT_CLI_SESSION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/arguments.h"
#include "client/library/client.h"

namespace quern {

// How long a command waits for one answer.
inline constexpr absl::Duration kCallTimeout = absl::Seconds(120);

// Whether a command may start the private daemon.
enum class Start { kIfNeeded, kNever };

// Connects to the daemon in --sockets FOLDER, else to the service, else to the
// private daemon.
absl::StatusOr<std::unique_ptr<Client>> ConnectFor(const Arguments& arguments,
                                                   Start start);

// The whole contents of the file at `path`, which may be a pipe.
absl::StatusOr<std::string> ReadFile(const std::string& path);

// Writes `text` and a newline, if it does not end with one, to standard
// output. Whether it could be written is seen at the program's end.
void PrintLine(const std::string& text);

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_SESSION_H_
