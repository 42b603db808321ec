// The client's end of the attach socket, against good and bad daemons.
#include "client/runtime/attach_client.h"

#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/client/fakes/fake_daemon.h"

namespace quern {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(5);

absl::StatusCode ConnectCode(FakeDaemon& daemon) {
  return AttachClient::Connect(daemon.attach_path(), kTimeout).status().code();
}

TEST(AttachClientTest, WelcomesAreUnderstood) {
  FakeDaemon daemon;
  const auto client = AttachClient::Connect(daemon.attach_path(), kTimeout);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ((*client)->incarnation(), 77u);
  EXPECT_EQ((*client)->session(), "000102030405060708090a0b0c0d0e0f");
  EXPECT_FALSE((*client)->Closed());
}

TEST(AttachClientTest, NobodyThereIsNotFoundOrUnavailable) {
  EXPECT_EQ(
      AttachClient::Connect("/tmp/no/such/socket", kTimeout).status().code(),
      absl::StatusCode::kNotFound);
}

TEST(AttachClientTest, APathThatIsTooLongIsInvalid) {
  EXPECT_EQ(
      AttachClient::Connect(std::string(108, 'x'), kTimeout).status().code(),
      absl::StatusCode::kInvalidArgument);
}

TEST(AttachClientTest, ARefusalKeepsItsCodeAndMessage) {
  FakeDaemon daemon;
  daemon.SetAnswer([](const auto&) {
    auto reply = MakeReply(QUERN_ATTACH_REFUSED, 0);
    reply.message.status = 7;
    std::memset(reply.message.message, 'x', sizeof(reply.message.message));
    return std::vector{reply};
  });
  const absl::Status status =
      AttachClient::Connect(daemon.attach_path(), kTimeout).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(status.message(), std::string(80, 'x'));  // Not ended by a zero.
}

TEST(AttachClientTest, MalformedWelcomesAreDataLoss) {
  FakeDaemon daemon;
  daemon.SetAnswer([&daemon](const auto& request) {
    auto replies = daemon.GoodAnswer(request);
    replies[0].fd = -1;
    return replies;
  });
  EXPECT_EQ(ConnectCode(daemon), absl::StatusCode::kDataLoss);
  daemon.SetAnswer([&daemon](const auto& request) {
    auto replies = daemon.GoodAnswer(request);
    replies[0].message.magic = 1;
    return replies;
  });
  EXPECT_EQ(ConnectCode(daemon), absl::StatusCode::kDataLoss);
  daemon.SetAnswer([&daemon](const auto& request) {
    auto replies = daemon.GoodAnswer(request);
    replies[0].size_bytes = 64;
    return replies;
  });
  EXPECT_EQ(ConnectCode(daemon), absl::StatusCode::kDataLoss);
}

TEST(AttachClientTest, ADirectoryThatIsShorterThanSaidIsInvalid) {
  FakeDaemon daemon;
  daemon.SetAnswer([&daemon](const auto& request) {
    auto replies = daemon.GoodAnswer(request);
    replies[0].message.size_bytes = 1 << 20;
    return replies;
  });
  EXPECT_EQ(ConnectCode(daemon), absl::StatusCode::kInvalidArgument);
}

TEST(AttachClientTest, AHangUpIsUnavailable) {
  FakeDaemon daemon;
  daemon.SetAnswer([](const auto&) {
    auto reply = MakeReply(0, 0);
    reply.hang_up = true;
    return std::vector{reply};
  });
  EXPECT_EQ(ConnectCode(daemon), absl::StatusCode::kUnavailable);
}

TEST(AttachClientTest, SilenceIsADeadlineExceeded) {
  FakeDaemon daemon;
  daemon.SetAnswer(
      [](const auto&) { return std::vector<FakeDaemon::Reply>(); });
  EXPECT_EQ(AttachClient::Connect(daemon.attach_path(), absl::Milliseconds(50))
                .status()
                .code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(AttachClientTest, EventsBeforeAnAnswerAreKept) {
  FakeDaemon daemon;
  daemon.SetAnswer([&daemon](const auto& request) {
    std::vector<FakeDaemon::Reply> replies;
    if (request.type == QUERN_ATTACH_GET_SLAB) {
      replies.push_back(MakeReply(QUERN_ATTACH_RETIRED, 3));
      replies.push_back(MakeReply(QUERN_ATTACH_RETIRED, 4));
    }
    for (auto& reply : daemon.GoodAnswer(request)) replies.push_back(reply);
    return replies;
  });
  const auto client = AttachClient::Connect(daemon.attach_path(), kTimeout);
  ASSERT_TRUE(client.ok());
  ASSERT_TRUE((*client)->GetSlab(FakeDaemon::kSlab).ok());
  EXPECT_EQ((*client)->TakeRetired(), (std::vector<uint32_t>{3, 4}));
  EXPECT_TRUE((*client)->TakeRetired().empty());
}

TEST(AttachClientTest, AnUnknownSlabIsNotFound) {
  FakeDaemon daemon;
  const auto client = AttachClient::Connect(daemon.attach_path(), kTimeout);
  ASSERT_TRUE(client.ok());
  EXPECT_EQ((*client)->GetSlab(99).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(AttachClientTest, TheEndOfTheDaemonIsNoticed) {
  absl::StatusOr<std::unique_ptr<AttachClient>> client;
  {
    FakeDaemon daemon;
    client = AttachClient::Connect(daemon.attach_path(), kTimeout);
    ASSERT_TRUE(client.ok());
  }
  EXPECT_TRUE((*client)->Closed());
}

}  // namespace
}  // namespace quern
