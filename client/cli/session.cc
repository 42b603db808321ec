// Connecting and printing.
#include "client/cli/session.h"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "proto/wire/status.h"

namespace quern {

absl::StatusOr<std::unique_ptr<Client>> ConnectFor(const Arguments& arguments,
                                                   Start start) {
  ClientOptions options;
  if (arguments.Has("sockets")) {
    options.sockets = SocketsIn(arguments.Get("sockets", ""));
  }
  options.start_private_daemon = start == Start::kIfNeeded;
  options.fail_fast = start == Start::kNever;
  return Client::Create(std::move(options));
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return ErrnoStatus(errno, absl::StrCat("opening ", path));
  std::ostringstream contents;
  contents << file.rdbuf();
  if (file.bad()) return ErrnoStatus(errno, absl::StrCat("reading ", path));
  return contents.str();
}

void PrintLine(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (text.empty() || text.back() != '\n') std::fputc('\n', stdout);
  std::fflush(stdout);
}

}  // namespace quern
