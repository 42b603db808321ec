// Unary gRPC calls to the daemon, over a Unix socket.
//
// The wire format is gRPC's (HTTP/2, five bytes before each message, status in
// trailers: "gRPC over HTTP2"). The gRPC library itself is not linked into
// clients: it brings threads and process-wide state, which a fork breaks.
//
// Thread-safe: each call takes an idle connection or opens one.
#ifndef QUERN_CLIENT_RPC_RPC_CLIENT_H_
#define QUERN_CLIENT_RPC_RPC_CLIENT_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/rpc/http2_connection.h"

namespace google::protobuf {
class MessageLite;
}

namespace quern {

class RpcClient final {
 public:
  // `path` is the daemon's RPC socket. Nothing is connected yet.
  explicit RpcClient(std::string path) : path_(std::move(path)) {}

  // Calls `method`, for example "quern.v1.KernelService/Compile", in the name
  // of `session` (32 hexadecimal digits, or empty). Fills `response`.
  //
  // Returns the status that the daemon gave, or
  // NotFound, Unavailable, PermissionDenied: the daemon cannot be reached.
  // DeadlineExceeded: no answer within `timeout`.
  // ResourceExhausted: the answer is over 32 MiB.
  absl::Status Call(const std::string& method, const std::string& session,
                    const google::protobuf::MessageLite& request,
                    absl::Duration timeout,
                    google::protobuf::MessageLite& response);

 private:
  absl::StatusOr<std::unique_ptr<Http2Connection>> Take();
  void GiveBack(std::unique_ptr<Http2Connection> connection);

  const std::string path_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Http2Connection>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace quern

#endif  // QUERN_CLIENT_RPC_RPC_CLIENT_H_
