// Connecting and printing.
#include "client/cli/session.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/wire/status.h"
#include "proto/wire/unique_fd.h"

namespace quern {
namespace {

constexpr size_t kReadSizeBytes = size_t{64} << 10;

// No daemon takes a larger source; some files never end.
constexpr size_t kFileSizeBytesMax = size_t{1} << 30;

}  // namespace

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
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return ErrnoStatus(errno, absl::StrCat("opening ", path));
  std::string contents;
  std::vector<char> part(kReadSizeBytes);
  while (contents.size() <= kFileSizeBytesMax) {
    const ssize_t count = ::read(file.get(), part.data(), part.size());
    if (count == 0) return contents;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, absl::StrCat("reading ", path));
    contents.append(part.data(), static_cast<size_t>(count));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": over ", kFileSizeBytesMax, " bytes"));
}

void PrintLine(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (text.empty() || text.back() != '\n') std::fputc('\n', stdout);
  std::fflush(stdout);
}

}  // namespace quern
