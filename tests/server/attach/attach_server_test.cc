// Tests of the attach socket, mostly by clients that mean no good.
#include "server/attach/attach_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "proto/wire/attach_protocol.h"
#include "proto/wire/packet.h"
#include "tests/fakes/fake_clock.h"

namespace quern {
namespace {

class QuietLogger final : public Logger {
 public:
  void Log(LogLevel, std::string_view) override {}
};

quern_attach_request Request(uint32_t type, uint64_t argument = 0) {
  quern_attach_request request{};
  request.magic = QUERN_ATTACH_MAGIC;
  request.version = QUERN_ATTACH_VERSION;
  request.type = type;
  request.argument = argument;
  return request;
}

std::string BytesOf(const quern_attach_request& request) {
  return {reinterpret_cast<const char*>(&request), sizeof(request)};
}

struct Answer {
  bool closed = false;  // Then nothing else is set.
  quern_attach_reply reply{};
  UniqueFd fd;
};

// A client's end of a connection. Its waits end after ten seconds.
class Client {
 public:
  explicit Client(const sockaddr_un& address, socklen_t size)
      : socket_(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(::connect(socket_.get(),
                        reinterpret_cast<const sockaddr*>(&address), size),
              0);
    const timeval timeout{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout,
                 sizeof(timeout));
  }

  int fd() const { return socket_.get(); }
  bool Send(const std::string& bytes, int fd = -1) {
    return SendPacket(socket_.get(), bytes, fd).ok();
  }

  Answer Receive() {
    Answer answer;
    absl::StatusOr<Packet> packet =
        ReceivePacket(socket_.get(), sizeof(quern_attach_reply));
    if (!packet.ok()) {
      // A reset tells the same as an orderly end.
      EXPECT_TRUE(absl::IsOutOfRange(packet.status()) ||
                  packet.status().message().find("reset") !=
                      absl::string_view::npos)
          << packet.status();
      answer.closed = true;
      return answer;
    }
    EXPECT_EQ(packet->bytes.size(), sizeof(answer.reply));
    std::memcpy(&answer.reply, packet->bytes.data(), sizeof(answer.reply));
    answer.fd = std::move(packet->fd);
    return answer;
  }

  Answer Ask(const quern_attach_request& request) {
    EXPECT_TRUE(Send(BytesOf(request)));
    return Receive();
  }

 private:
  UniqueFd socket_;
};

class AttachServerTest : public testing::Test {
 protected:
  void SetUp() override { options_.access.user_ids = {::geteuid()}; }

  void Start() {
    UniqueFd listener(
        ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    address_.sun_family = AF_UNIX;
    // An empty address: the kernel picks an abstract one.
    ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address_),
                     sizeof(sa_family_t)),
              0);
    size_ = sizeof(address_);
    ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address_),
                  &size_);
    ASSERT_EQ(::listen(listener.get(), 128), 0);
    server_ = *StartAttachServer(options_,
                                 {.slabs = *slabs_,
                                  .directory = *directory_,
                                  .clock = clock_,
                                  .logger = logger_,
                                  .make_token =
                                      [this] {
                                        SessionToken token{};
                                        token[0] = ++last_token_;
                                        return token;
                                      }},
                                 std::move(listener));
  }

  Client Connect() { return Client(address_, size_); }

  // A client that has said HELLO.
  Client Attach() {
    Client client = Connect();
    EXPECT_EQ(client.Ask(Request(QUERN_ATTACH_HELLO)).reply.type,
              uint32_t{QUERN_ATTACH_WELCOME});
    return client;
  }

  // Waits, at most ten seconds, until there are `count` sessions.
  void WaitForSessions(uint64_t count) {
    for (int i = 0; i < 10000 && server_->session_count() != count; ++i) {
      ::poll(nullptr, 0, 1);
    }
    EXPECT_EQ(server_->session_count(), count);
  }

  // Expects that the client is refused with `code`, and let go.
  static void ExpectRefused(Client& client, absl::StatusCode code) {
    const Answer answer = client.Receive();
    ASSERT_FALSE(answer.closed);
    EXPECT_EQ(answer.reply.type, uint32_t{QUERN_ATTACH_REFUSED});
    EXPECT_EQ(answer.reply.status, static_cast<uint32_t>(code))
        << answer.reply.message;
    EXPECT_NE(answer.reply.message[0], '\0');
    EXPECT_TRUE(client.Receive().closed);
  }

  AttachServerOptions options_;
  FakeClock clock_;
  QuietLogger logger_;
  uint8_t last_token_ = 0;
  std::unique_ptr<CodeSlabs> slabs_ = NewCodeSlabs({});
  std::unique_ptr<KernelDirectory> directory_ = *CreateKernelDirectory(64, 77);
  sockaddr_un address_{};
  socklen_t size_ = 0;
  std::unique_ptr<AttachServer> server_;
};

TEST_F(AttachServerTest, HelloGivesTheDirectoryAndASession) {
  Start();
  Client client = Connect();
  const Answer answer = client.Ask(Request(QUERN_ATTACH_HELLO));
  EXPECT_EQ(answer.reply.type, uint32_t{QUERN_ATTACH_WELCOME});
  EXPECT_EQ(answer.reply.magic, QUERN_ATTACH_MAGIC);
  EXPECT_EQ(answer.reply.value, 77u);
  EXPECT_TRUE(answer.fd.valid());
  EXPECT_GT(answer.reply.size_bytes, 4096u);
  SessionToken token{};
  std::memcpy(token.data(), answer.reply.session_token, token.size());
  EXPECT_TRUE(server_->IsAttached(token, ::geteuid()));
  EXPECT_FALSE(server_->IsAttached(token, ::geteuid() + 1));
  token[1] = 1;
  EXPECT_FALSE(server_->IsAttached(token, ::geteuid()));
}

TEST_F(AttachServerTest, ASlabIsGivenReadOnly) {
  slabs_->Append("code").IgnoreError();
  Start();
  Client client = Attach();
  const Answer answer = client.Ask(Request(QUERN_ATTACH_GET_SLAB, 1));
  ASSERT_EQ(answer.reply.type, uint32_t{QUERN_ATTACH_SLAB});
  EXPECT_EQ(answer.reply.value, 1u);
  EXPECT_EQ(answer.reply.size_bytes, uint64_t{4} << 20);
  char text[4];
  EXPECT_EQ(::pread(answer.fd.get(), text, 4, 0), 4);
  EXPECT_EQ(std::string(text, 4), "code");
  EXPECT_LT(::pwrite(answer.fd.get(), "x", 1, 0), 0);
}

TEST_F(AttachServerTest, AnUnknownSlabIsSaidAndTheSessionGoesOn) {
  Start();
  Client client = Attach();
  for (int i = 0; i < 2; ++i) {
    const Answer answer = client.Ask(Request(QUERN_ATTACH_GET_SLAB, 5));
    EXPECT_EQ(answer.reply.type, uint32_t{QUERN_ATTACH_REFUSED});
    EXPECT_EQ(answer.reply.status,
              static_cast<uint32_t>(absl::StatusCode::kNotFound));
  }
}

TEST_F(AttachServerTest, ARetiredSlabIsToldToEverySession) {
  Start();
  Client first = Attach();
  Client second = Attach();
  Client silent = Connect();
  server_->NotifyRetired(9);
  for (Client* client : {&first, &second}) {
    const Answer answer = client->Receive();
    EXPECT_EQ(answer.reply.type, uint32_t{QUERN_ATTACH_RETIRED});
    EXPECT_EQ(answer.reply.value, 9u);
  }
  EXPECT_EQ(silent.Ask(Request(QUERN_ATTACH_HELLO)).reply.type,
            uint32_t{QUERN_ATTACH_WELCOME});
}

TEST_F(AttachServerTest, ByeAndLeavingEndTheSession) {
  Start();
  Client polite = Attach();
  EXPECT_TRUE(polite.Send(BytesOf(Request(QUERN_ATTACH_BYE))));
  EXPECT_TRUE(polite.Receive().closed);
  {
    Client rude = Attach();
  }
  WaitForSessions(0);
}

TEST_F(AttachServerTest, ASessionEndsWithItsProcessThoughItsChildLivesOn) {
  Start();
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const pid_t parent = ::fork();
  ASSERT_GE(parent, 0);
  if (parent == 0) {
    const int socket = ::socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (::connect(socket, reinterpret_cast<sockaddr*>(&address_), size_) != 0) {
      ::_exit(1);
    }
    const quern_attach_request hello = Request(QUERN_ATTACH_HELLO);
    quern_attach_reply reply;
    if (::send(socket, &hello, sizeof(hello), 0) != sizeof(hello) ||
        ::recv(socket, &reply, sizeof(reply), 0) != sizeof(reply)) {
      ::_exit(1);
    }
    if (::fork() == 0) {
      // Holds the connection until the test lets go of the pipe.
      ::close(pipe_ends[1]);
      char byte;
      while (::read(pipe_ends[0], &byte, 1) > 0) {
      }
      ::_exit(0);
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(parent, &status, 0), parent);
  EXPECT_EQ(status, 0);
  WaitForSessions(0);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
}

struct BadPacket {
  std::string name;
  std::function<std::string()> bytes;
  absl::StatusCode code;
};

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
                  [] { return Changed([](auto& r) { r.version = 2; }); },
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

TEST_F(AttachServerTest, ASecondHelloIsRefused) {
  Start();
  Client client = Attach();
  EXPECT_TRUE(client.Send(BytesOf(Request(QUERN_ATTACH_HELLO))));
  ExpectRefused(client, kPrecondition);
}

TEST_F(AttachServerTest, AnUnknownRequestAndAnImpossibleSlabAreRefused) {
  Start();
  Client client = Attach();
  EXPECT_TRUE(client.Send(BytesOf(Request(99))));
  ExpectRefused(client, kInvalid);
  Client other = Attach();
  EXPECT_TRUE(other.Send(BytesOf(Request(QUERN_ATTACH_GET_SLAB, 1 << 20))));
  ExpectRefused(other, kInvalid);
}

TEST_F(AttachServerTest, DescriptorsFromAClientAreNotTaken) {
  Start();
  Client client = Connect();
  EXPECT_TRUE(client.Send(BytesOf(Request(QUERN_ATTACH_HELLO)), STDIN_FILENO));
  ExpectRefused(client, kInvalid);
}

TEST_F(AttachServerTest, TheLastSessionIsLetInAndOneMoreIsNot) {
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

TEST_F(AttachServerTest, WhoIsInNoListIsRefused) {
  options_.access.user_ids = {::geteuid() + 1};
  Start();
  Client client = Connect();
  ExpectRefused(client, absl::StatusCode::kPermissionDenied);
}

TEST_F(AttachServerTest, WhoSaysNothingIsLetGoAfterAWhile) {
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

TEST_F(AttachServerTest, AFloodIsRefusedWhenTheBudgetIsSpent) {
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

TEST_F(AttachServerTest, TheBudgetIsRefilledWithTime) {
  options_.requests_burst_max = 2;
  options_.requests_per_second_max = 10;
  Start();
  Client client = Attach();
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(client.Ask(Request(QUERN_ATTACH_GET_SLAB, 1)).closed);
    clock_.Advance(absl::Milliseconds(100));
  }
}

TEST_F(AttachServerTest, WhoDoesNotReadIsLetGoAndHoldsUpNobody) {
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

TEST_F(AttachServerTest, WhoDoesNotReadEventsIsLetGo) {
  Start();
  Client deaf = Attach();
  for (uint32_t i = 0; i < 2000 && server_->session_count() > 0; ++i) {
    server_->NotifyRetired(i);
    ::poll(nullptr, 0, i % 100 == 0 ? 1 : 0);
  }
  WaitForSessions(0);
}

}  // namespace
}  // namespace quern
