// Connections and their users.
#include "server/rpc/peers.h"

#include <sys/stat.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "server/rpc/conversions.h"

namespace quern {
namespace {

// 0: it is closed.
uint64_t InodeOf(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

}  // namespace

bool Peers::Add(int fd, uint32_t user_id) {
  std::lock_guard lock(mutex_);
  // A number that is given again was closed before.
  connections_.erase(fd);
  if (connections_.size() >= connections_max_) DropClosed();
  if (connections_.size() >= connections_max_) return false;
  connections_[fd] = {.user_id = user_id, .inode = InodeOf(fd)};
  return true;
}

SessionId Peers::SessionOf(const grpc::ServerContextBase& context) {
  const std::string peer = context.peer();
  absl::string_view number = peer;
  int fd = -1;
  uint32_t user_id = 0;
  if (!absl::ConsumePrefix(&number, "fd:") || !absl::SimpleAtoi(number, &fd)) {
    return "unknown";
  }
  {
    std::lock_guard lock(mutex_);
    const auto found = connections_.find(fd);
    if (found == connections_.end()) return "unknown";
    user_id = found->second.user_id;
  }
  const auto metadata = context.client_metadata().find("quern-session");
  if (metadata != context.client_metadata().end()) {
    const absl::StatusOr<SessionToken> token =
        ParseSessionToken({metadata->second.data(), metadata->second.size()});
    if (token.ok() && registry_.IsAttached(*token, user_id)) {
      return SessionId(token->begin(), token->end());
    }
  }
  return absl::StrCat("user ", user_id);
}

void Peers::DropClosed() {
  std::erase_if(connections_, [](const auto& entry) {
    return InodeOf(entry.first) != entry.second.inode;
  });
}

}  // namespace quern
