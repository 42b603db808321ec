// Who may talk to the daemon, by the credentials of the socket's other end.
#ifndef QUERN_SERVER_CORE_ACCESS_H_
#define QUERN_SERVER_CORE_ACCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"

namespace quern {

// The process at the other end of a Unix socket, when it connected.
struct Peer {
  pid_t process_id = 0;
  uint32_t user_id = 0;
  // Its group and its supplementary groups.
  std::vector<uint32_t> group_ids;
};

// Internal: `socket` is not a connected Unix socket.
absl::StatusOr<Peer> PeerOf(int socket);

// A value. Whoever is in none of the lists may not.
struct AccessList {
  std::vector<uint32_t> user_ids;
  std::vector<uint32_t> group_ids;
};

bool MayConnect(const AccessList& access, const Peer& peer);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_ACCESS_H_
