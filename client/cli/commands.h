// The commands of `quern`. Each prints its result to standard output and
// returns why it failed, which main prints.
#ifndef QUERN_CLIENT_CLI_COMMANDS_H_
#define QUERN_CLIENT_CLI_COMMANDS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace quern {

// The words after the command's name.
using Words = std::vector<std::string>;

absl::Status RunBench(const Words& words);
absl::Status RunCompile(const Words& words);
absl::Status RunDemo(const Words& words);
absl::Status RunDoctor(const Words& words);
absl::Status RunEvict(const Words& words);
absl::Status RunList(const Words& words);
absl::Status RunRun(const Words& words);
absl::Status RunShow(const Words& words);
absl::Status RunStats(const Words& words);
absl::Status RunStop(const Words& words);
absl::Status RunTop(const Words& words);

}  // namespace quern

#endif  // QUERN_CLIENT_CLI_COMMANDS_H_
