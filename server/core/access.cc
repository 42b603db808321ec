// Peer credentials and access lists.
#include "server/core/access.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "proto/wire/status.h"

namespace quern {
namespace {

// The supplementary groups of the peer; none if the kernel does not tell.
std::vector<uint32_t> GroupsOf(int socket) {
  std::vector<uint32_t> groups(64);
  while (true) {
    socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(uint32_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) ==
        0) {
      groups.resize(size / sizeof(uint32_t));
      return groups;
    }
    if (errno != ERANGE) return {};
    groups.resize(size / sizeof(uint32_t));
  }
}

bool Holds(const std::vector<uint32_t>& list, uint32_t id) {
  return std::find(list.begin(), list.end(), id) != list.end();
}

}  // namespace

absl::StatusOr<Peer> PeerOf(int socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return ErrnoStatus(errno, "getsockopt(SO_PEERCRED)");
  }
  Peer peer{.process_id = credentials.pid,
            .user_id = credentials.uid,
            .group_ids = GroupsOf(socket)};
  peer.group_ids.push_back(credentials.gid);
  return peer;
}

bool MayConnect(const AccessList& access, const Peer& peer) {
  return Holds(access.user_ids, peer.user_id) ||
         std::any_of(peer.group_ids.begin(), peer.group_ids.end(),
                     [&access](uint32_t group) {
                       return Holds(access.group_ids, group);
                     });
}

}  // namespace quern
