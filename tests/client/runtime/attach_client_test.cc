// The client's end of the attach socket, against good and bad daemons.
#include "client/runtime/attach_client.h"

#include <pthread.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "proto/wire/packet.h"
#include "tests/client/fakes/fake_daemon.h"

namespace quern {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(60);

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

// Answers DONE to everything but HELLO, after `delay`.
void AnswerDoneAfter(FakeDaemon& daemon, std::chrono::milliseconds delay) {
  daemon.SetAnswer([&daemon, delay](const auto& request) {
    if (request.type == QUERN_ATTACH_HELLO) return daemon.GoodAnswer(request);
    std::this_thread::sleep_for(delay);
    return std::vector{MakeReply(QUERN_ATTACH_DONE, 0)};
  });
}

void Send(int socket, const FakeDaemon::Reply& reply) {
  const std::string bytes(reinterpret_cast<const char*>(&reply.message),
                          sizeof(reply.message));
  ASSERT_TRUE(SendPacket(socket, bytes, reply.fd).ok());
}

// A client whose daemon this test is, at `other`. Its welcome was there before
// it asked, so that no time-out is too short for that.
std::unique_ptr<AttachClient> Welcomed(FakeDaemon& daemon, UniqueFd& other,
                                       absl::Duration timeout) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return nullptr;
  }
  other.reset(ends[1]);
  quern_attach_request hello{};
  hello.type = QUERN_ATTACH_HELLO;
  Send(other.get(), daemon.GoodAnswer(hello)[0]);
  return *AttachClient::FromSocket(UniqueFd(ends[0]), timeout);
}

TEST(AttachClientTest, ALateAnswerIsNotTakenForTheNextOne) {
  FakeDaemon daemon;
  UniqueFd other;
  const auto client = Welcomed(daemon, other, absl::Milliseconds(50));
  EXPECT_TRUE(absl::IsDeadlineExceeded(client->UnloadKernel(1)));
  // The answer finds nobody.
  const auto late = MakeReply(QUERN_ATTACH_DONE, 0);
  EXPECT_EQ(
      ::send(other.get(), &late.message, sizeof(late.message), MSG_NOSIGNAL),
      -1);
  EXPECT_TRUE(absl::IsUnavailable(client->FreeBuffer(2)));
  EXPECT_TRUE(client->Closed());
  EXPECT_TRUE(client->PeerIsGone());
  for (const uint32_t type : {QUERN_ATTACH_HELLO, QUERN_ATTACH_UNLOAD_KERNEL}) {
    quern_attach_request request{};
    ASSERT_GT(::recv(other.get(), &request, sizeof(request), 0), 0);
    EXPECT_EQ(request.type, type);
  }
  quern_attach_request none{};
  EXPECT_EQ(::recv(other.get(), &none, sizeof(none), 0), 0);
}

TEST(AttachClientTest, APairOfSocketsIsNotWaitedForLonger) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd silent(ends[1]);
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      AttachClient::FromSocket(UniqueFd(ends[0]), absl::Milliseconds(50))
          .status()));
}

// Interrupts the system calls of the thread that made it.
class Interrupter final {
 public:
  Interrupter() {
    struct sigaction action = {};  // No SA_RESTART.
    action.sa_handler = [](int) {};
    ::sigaction(SIGUSR1, &action, nullptr);
    thread_ = std::thread([this, target = ::pthread_self()] {
      while (!stop_) {
        ::pthread_kill(target, SIGUSR1);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    });
  }
  ~Interrupter() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST(AttachClientTest, ASignalDoesNotEndAWait) {
  FakeDaemon daemon;
  AnswerDoneAfter(daemon, std::chrono::milliseconds(100));
  const auto client = *AttachClient::Connect(daemon.attach_path(), kTimeout);
  const Interrupter interrupter;
  const absl::Status status = client->UnloadKernel(1);
  EXPECT_TRUE(status.ok()) << status;
}

TEST(AttachClientTest, SignalsDoNotMakeAWaitEndless) {
  FakeDaemon daemon;
  daemon.SetAnswer(
      [](const auto&) { return std::vector<FakeDaemon::Reply>(); });
  const Interrupter interrupter;
  EXPECT_TRUE(absl::IsDeadlineExceeded(
      AttachClient::Connect(daemon.attach_path(), absl::Milliseconds(100))
          .status()));
}

TEST(AttachClientTest, ABufferOfAnotherSizeIsDataLoss) {
  FakeDaemon daemon;
  daemon.SetAnswer([&daemon](const auto& request) {
    if (request.type != QUERN_ATTACH_ALLOC_BUFFER) {
      return daemon.GoodAnswer(request);
    }
    quern_attach_request slab = request;
    slab.type = QUERN_ATTACH_GET_SLAB;
    slab.argument = FakeDaemon::kSlab;
    auto replies = daemon.GoodAnswer(slab);
    replies[0].message.type = QUERN_ATTACH_BUFFER;
    return replies;
  });
  const auto client = *AttachClient::Connect(daemon.attach_path(), kTimeout);
  EXPECT_TRUE(client->AllocateBuffer(FakeDaemon::kSlabSizeBytes).ok());
  EXPECT_TRUE(absl::IsDataLoss(
      client->AllocateBuffer(FakeDaemon::kSlabSizeBytes + 1).status()));
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

// What comes before a reset counts, as the refusal of a daemon that has read
// nothing does.
TEST(AttachClientTest, WhatWasSentBeforeAResetIsRead) {
  FakeDaemon daemon;
  UniqueFd other;
  const auto client = Welcomed(daemon, other, kTimeout);
  Send(other.get(), MakeReply(QUERN_ATTACH_RETIRED, 3));
  other.reset();  // The client's HELLO was not read.
  EXPECT_EQ(client->TakeRetired(), std::vector<uint32_t>{3});
  EXPECT_TRUE(client->Closed());
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
