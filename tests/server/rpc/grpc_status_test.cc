// Tests of statuses on their way out.
#include "server/rpc/grpc_status.h"

#include <gtest/gtest.h>

#include <string>

namespace quern {
namespace {

TEST(GrpcStatusTest, CodesAreKept) {
  for (int code = 0; code <= 16; ++code) {
    const absl::Status status(static_cast<absl::StatusCode>(code), "why");
    EXPECT_EQ(static_cast<int>(ToGrpcStatus(status).error_code()), code);
  }
}

TEST(GrpcStatusTest, AMessageAtTheLimitIsKeptAndALongerIsCut) {
  const std::string message(kGrpcMessageSizeMax, 'x');
  EXPECT_EQ(ToGrpcStatus(absl::InternalError(message)).error_message(),
            message);
  EXPECT_EQ(ToGrpcStatus(absl::InternalError(message + "y")).error_message(),
            message);
}

TEST(GrpcStatusTest, ACharacterIsNotCutInTwo) {
  const std::string message(kGrpcMessageSizeMax - 1, 'x');
  EXPECT_EQ(
      ToGrpcStatus(absl::InternalError(message + "\u00e9")).error_message(),
      message);
}

TEST(GrpcStatusTest, NoWhiteSpaceIsLeftAtTheEndsOfACutMessage) {
  const std::string message(kGrpcMessageSizeMax - 1, 'x');
  EXPECT_EQ(ToGrpcStatus(absl::InternalError(message + " y")).error_message(),
            message);
  EXPECT_EQ(ToGrpcStatus(absl::InternalError(" \ta b\n")).error_message(),
            "a b");
}

}  // namespace
}  // namespace quern
