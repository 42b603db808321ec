// From absl's statuses to gRPC's: the codes are numerically equal.
#include "server/rpc/grpc_status.h"

#include <string>

#include "absl/strings/ascii.h"

namespace quern {
namespace {

// Whether `byte` continues a character of UTF-8.
bool Continues(char byte) { return (byte & 0xc0) == 0x80; }

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  std::string message(status.message());
  if (message.size() > kGrpcMessageSizeMax) {
    size_t size = kGrpcMessageSizeMax;
    while (size > 0 && Continues(message[size])) --size;
    message.resize(size);
  }
  // RFC 9113, 8.2.1: a field's value neither begins nor ends with white space.
  absl::StripAsciiWhitespace(&message);
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), message);
}

}  // namespace quern
