// Tests of the attach socket by clients that mean no good.
#include "server/attach/attach_session.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "proto/wire/attach_protocol.h"
#include "tests/server/attach/attach_fixture.h"

namespace quern {
namespace {

struct BadPacket {
  std::string name;
  std::function<std::string()> bytes;
  absl::StatusCode code;
};

class AttachSessionTest : public AttachServerTest {};

class BadPacketTest : public AttachServerTest,
                      public testing::WithParamInterface<BadPacket> {};

TEST_P(BadPacketTest, IsRefusedAndOthersAreServed) {
  Start();
  Client good = Attach();
  Client bad = Connect();
  ASSERT_TRUE(bad.Send(GetParam().bytes()));
  ExpectRefused(bad, GetParam().code);
  EXPECT_EQ(good.Ask(Request(QUERN_ATTACH_GET_SLAB, 1)).reply.type,
            uint32_t{QUERN_ATTACH_REFUSED});
}

std::string Changed(const std::function<void(quern_attach_request&)>& change) {
  quern_attach_request request = Request(QUERN_ATTACH_HELLO);
  change(request);
  return BytesOf(request);
}

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

INSTANTIATE_TEST_SUITE_P(
    Packets, BadPacketTest,
    testing::Values(
        BadPacket{"Short", [] { return std::string(31, 'x'); }, kInvalid},
        BadPacket{"Long", [] { return std::string(33, 'x'); }, kInvalid},
        BadPacket{"Huge", [] { return std::string(100000, 'x'); }, kInvalid},
        BadPacket{"Garbage", [] { return std::string(32, 'x'); }, kInvalid},
        BadPacket{"OtherVersion",
                  [] { return Changed([](auto& r) { ++r.version; }); },
                  kPrecondition},
        BadPacket{"Reserved",
                  [] { return Changed([](auto& r) { r.reserved = 1; }); },
                  kInvalid},
        BadPacket{"Reserved1",
                  [] { return Changed([](auto& r) { r.reserved1 = 1; }); },
                  kInvalid},
        BadPacket{"SlabBeforeHello",
                  [] { return BytesOf(Request(QUERN_ATTACH_GET_SLAB, 1)); },
                  kPrecondition},
        BadPacket{"UnknownType", [] { return BytesOf(Request(99)); },
                  kPrecondition}),
    [](const auto& info) { return info.param.name; });

TEST_F(AttachSessionTest, ASecondHelloIsRefused) {
  Start();
  Client client = Attach();
  EXPECT_TRUE(client.Send(BytesOf(Request(QUERN_ATTACH_HELLO))));
  ExpectRefused(client, kPrecondition);
}

TEST_F(AttachSessionTest, AnUnknownRequestAndAnImpossibleSlabAreRefused) {
  Start();
  Client client = Attach();
  EXPECT_TRUE(client.Send(BytesOf(Request(99))));
  ExpectRefused(client, kInvalid);
  Client other = Attach();
  EXPECT_TRUE(other.Send(BytesOf(Request(QUERN_ATTACH_GET_SLAB, 1 << 20))));
  ExpectRefused(other, kInvalid);
}

TEST_F(AttachSessionTest, DescriptorsFromAClientAreNotTaken) {
  Start();
  Client client = Connect();
  EXPECT_TRUE(client.Send(BytesOf(Request(QUERN_ATTACH_HELLO)), STDIN_FILENO));
  ExpectRefused(client, kInvalid);
}

TEST_F(AttachSessionTest, TheLastSessionIsLetInAndOneMoreIsNot) {
  options_.sessions_max = 3;
  Start();
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(Attach());
  Client extra = Connect();
  ExpectRefused(extra, absl::StatusCode::kResourceExhausted);
  clients.pop_back();
  WaitForSessions(2);
  Attach();
}

// A reset would reach the client ahead of the refusal.
TEST_F(AttachSessionTest, ARefusalIsReadThoughMoreWasSent) {
  Start();
  Client client = Connect();
  const std::string bad = BytesOf(Request(99));
  for (int i = 0; i < 5 && client.Send(bad); ++i) {
  }
  pollfd closed{.fd = client.fd(), .events = 0, .revents = 0};
  ASSERT_EQ(::poll(&closed, 1, 10000), 1);
  ExpectRefused(client, kPrecondition);
}

TEST_F(AttachSessionTest, WhoIsInNoListIsRefused) {
  options_.access.user_ids = {::geteuid() + 1};
  Start();
  Client client = Connect();
  ExpectRefused(client, absl::StatusCode::kPermissionDenied);
}

TEST_F(AttachSessionTest, WhoSaysNothingIsLetGoAfterAWhile) {
  Start();
  Client silent = Connect();
  Client attached = Attach();
  WaitForSessions(2);
  clock_.Advance(absl::Seconds(5) - absl::Nanoseconds(1));
  ::poll(nullptr, 0, 300);
  EXPECT_EQ(server_->session_count(), 2u);
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(silent.Receive().closed);
  WaitForSessions(1);
}

TEST_F(AttachSessionTest, AFloodIsRefusedWhenTheBudgetIsSpent) {
  options_.requests_burst_max = 5;
  Start();
  Client client = Attach();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(client.Ask(Request(QUERN_ATTACH_GET_SLAB, 1)).reply.status,
              static_cast<uint32_t>(absl::StatusCode::kNotFound));
  }
  EXPECT_TRUE(client.Send(BytesOf(Request(QUERN_ATTACH_GET_SLAB, 1))));
  ExpectRefused(client, absl::StatusCode::kResourceExhausted);
}

TEST_F(AttachSessionTest, TheBudgetIsRefilledWithTime) {
  options_.requests_burst_max = 2;
  options_.requests_per_second_max = 10;
  Start();
  Client client = Attach();
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(client.Ask(Request(QUERN_ATTACH_GET_SLAB, 1)).closed);
    clock_.Advance(absl::Milliseconds(100));
  }
}

TEST_F(AttachSessionTest, WhoDoesNotReadIsLetGoAndHoldsUpNobody) {
  options_.requests_burst_max = 1000000;
  Start();
  Client deaf = Attach();
  Client good = Attach();
  // Its answers fill the socket; then the server closes.
  while (deaf.Send(BytesOf(Request(QUERN_ATTACH_GET_SLAB, 1)))) {
  }
  WaitForSessions(1);
  EXPECT_FALSE(good.Ask(Request(QUERN_ATTACH_GET_SLAB, 1)).closed);
}

TEST_F(AttachSessionTest, WhoReadsEventsLateGetsThemAllAndItsAnswer) {
  constexpr uint32_t kSlabs = 2000;  // Its socket has room for a few hundred.
  Start();
  Client late = Attach();
  for (uint32_t i = 1; i <= kSlabs; ++i) server_->NotifyRetired(i);
  // Others are served meanwhile.
  EXPECT_FALSE(Attach().Ask(Request(QUERN_ATTACH_GET_SLAB, 1)).closed);
  ASSERT_TRUE(late.Send(BytesOf(Request(QUERN_ATTACH_GET_SLAB, 1))));
  uint32_t told = 0;
  int answers = 0;
  while (told < kSlabs || answers == 0) {
    const Answer answer = late.Receive();
    ASSERT_FALSE(answer.closed);
    if (answer.reply.type == QUERN_ATTACH_RETIRED) {
      ASSERT_EQ(answer.reply.value, ++told);
    } else {
      ++answers;
    }
  }
  EXPECT_EQ(answers, 1);
  EXPECT_FALSE(late.Ask(Request(QUERN_ATTACH_GET_SLAB, 1)).closed);
}

TEST_F(AttachSessionTest, WhoLeavesWithoutReadingEventsIsLetGo) {
  Start();
  {
    Client deaf = Attach();
    for (uint32_t i = 1; i <= 2000; ++i) server_->NotifyRetired(i);
    EXPECT_FALSE(Attach().Ask(Request(QUERN_ATTACH_GET_SLAB, 1)).closed);
  }
  WaitForSessions(0);
}

}  // namespace
}  // namespace quern
