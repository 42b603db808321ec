// Who a call comes from, for limits and fairness.
#ifndef QUERN_SERVER_CORE_SESSION_H_
#define QUERN_SERVER_CORE_SESSION_H_

#include <array>
#include <cstdint>
#include <string>

namespace quern {

// Names a session: an attached client, or all unattached calls of one user.
// Compared only; made by the RPC layer.
using SessionId = std::string;

// What an attached client proves itself with.
using SessionToken = std::array<uint8_t, 16>;

// Knows which clients are attached. Thread-safe.
class SessionRegistry {
 public:
  virtual ~SessionRegistry() = default;

  // Whether `token` is that of a client that is attached now and runs as
  // `user_id`.
  virtual bool IsAttached(const SessionToken& token, uint32_t user_id) = 0;

  virtual uint64_t session_count() = 0;
};

}  // namespace quern

#endif  // QUERN_SERVER_CORE_SESSION_H_
