// gRPC's framing, status and timeouts.
#include "client/rpc/rpc_client.h"

#include <google/protobuf/message_lite.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

constexpr size_t kMessageSizeBytesMax = 32 << 20;
constexpr size_t kPrefixSizeBytes = 5;  // A flag and a big-endian length.
constexpr size_t kIdleConnectionsMax = 8;

std::string Framed(const google::protobuf::MessageLite& message) {
  const uint32_t size = static_cast<uint32_t>(message.ByteSizeLong());
  std::string bytes = {0, static_cast<char>(size >> 24),
                       static_cast<char>(size >> 16),
                       static_cast<char>(size >> 8), static_cast<char>(size)};
  message.AppendToString(&bytes);
  return bytes;
}

absl::Status Unframe(absl::string_view body,
                     google::protobuf::MessageLite& message) {
  if (body.size() < kPrefixSizeBytes || body[0] != 0) {
    return absl::DataLossError("the daemon's answer is malformed");
  }
  uint32_t size = 0;
  for (int i = 1; i < 5; ++i) size = size << 8 | static_cast<uint8_t>(body[i]);
  body.remove_prefix(kPrefixSizeBytes);
  if (size != body.size() ||
      !message.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return absl::DataLossError("the daemon's answer is malformed");
  }
  return absl::OkStatus();
}

// gRPC's messages travel percent-encoded.
std::string PercentDecoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        absl::SimpleHexAtoi(text.substr(i + 1, 2), &value)) {
      decoded.push_back(static_cast<char>(value));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return decoded;
}

absl::Status StatusOf(const Http2Response& response) {
  if (response.status != 200) {
    return absl::UnavailableError(
        absl::StrCat("the daemon answered HTTP ", response.status));
  }
  int code = -1;
  std::string message;
  for (const auto& [name, value] : response.trailers) {
    if (name == "grpc-status" && !absl::SimpleAtoi(value, &code)) code = -1;
    if (name == "grpc-message") message = PercentDecoded(value);
  }
  if (code < 0 || code > 16) {
    return absl::DataLossError("the daemon's answer has no status");
  }
  return absl::Status(static_cast<absl::StatusCode>(code), message);
}

// "100m": at most eight digits and a unit.
std::string TimeoutHeader(absl::Duration timeout) {
  constexpr int64_t kMillisecondsMax = 99'999'999;
  const int64_t milliseconds = std::clamp<int64_t>(
      absl::ToInt64Milliseconds(timeout), 1, kMillisecondsMax);
  return absl::StrCat(milliseconds, "m");
}

}  // namespace

absl::Status RpcClient::Call(const std::string& method,
                             const std::string& session,
                             const google::protobuf::MessageLite& request,
                             absl::Duration timeout,
                             google::protobuf::MessageLite& response) {
  Http2Request http = {.path = "/" + method,
                       .headers = {{"te", "trailers"},
                                   {"content-type", "application/grpc"},
                                   {"grpc-timeout", TimeoutHeader(timeout)}},
                       .body = Framed(request)};
  if (!session.empty()) http.headers.emplace_back("quern-session", session);

  QUERN_ASSIGN_OR_RETURN(std::unique_ptr<Http2Connection> connection, Take());
  std::string body;
  absl::StatusOr<Http2Response> answer =
      connection->Send(http, timeout, [&body](absl::string_view part) {
        if (part.size() > kMessageSizeBytesMax - body.size()) return false;
        absl::StrAppend(&body, part);
        return true;
      });
  if (!answer.ok()) return answer.status();
  GiveBack(std::move(connection));
  QUERN_RETURN_IF_ERROR(StatusOf(*answer));
  return Unframe(body, response);
}

absl::StatusOr<std::unique_ptr<Http2Connection>> RpcClient::Take() {
  while (true) {
    std::unique_ptr<Http2Connection> connection;
    {
      const std::lock_guard lock(mutex_);
      if (idle_.empty()) break;
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
    if (!connection->Stale()) return connection;
  }
  return ConnectHttp2(path_);
}

void RpcClient::GiveBack(std::unique_ptr<Http2Connection> connection) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleConnectionsMax) {
    idle_.push_back(std::move(connection));
  }
}

}  // namespace quern
