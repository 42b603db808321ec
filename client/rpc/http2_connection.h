// One HTTP/2 connection over a Unix socket, used for one request at a time.
//
// It speaks only what a gRPC client needs: POST with headers, a body each way,
// trailers. All work is done on the calling thread with blocking system calls,
// so that a client process gets no thread and no state that a fork would break.
//
// Not thread-safe.
#ifndef QUERN_CLIENT_RPC_HTTP2_CONNECTION_H_
#define QUERN_CLIENT_RPC_HTTP2_CONNECTION_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace quern {

struct Http2Request {
  std::string path;
  // Lower-case names; pseudo headers are added by the connection.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct Http2Response {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> trailers;
};

class Http2Connection {
 public:
  virtual ~Http2Connection() = default;

  // Called with each part of the response's body as it comes. A false result
  // ends the request with ResourceExhausted.
  using OnData = absl::FunctionRef<bool(absl::string_view)>;

  // Sends `request` and reads the response to its end.
  //
  // Unavailable: the connection broke, or the peer is going away.
  // DeadlineExceeded: not done within `timeout`; the request was cancelled.
  // DataLoss: the peer broke the protocol.
  // After any error the connection must not be used again.
  virtual absl::StatusOr<Http2Response> Send(const Http2Request& request,
                                             absl::Duration timeout,
                                             OnData on_data) = 0;

  // Whether the peer has closed or is going away. Does not block.
  virtual bool Stale() = 0;
};

// Connects to the Unix socket at `path`.
//
// NotFound, Unavailable, PermissionDenied: nobody listens, or not for us.
absl::StatusOr<std::unique_ptr<Http2Connection>> ConnectHttp2(
    const std::string& path);

}  // namespace quern

#endif  // QUERN_CLIENT_RPC_HTTP2_CONNECTION_H_
