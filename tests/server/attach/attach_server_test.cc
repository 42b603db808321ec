// Tests of the attach socket and of well-meaning clients.
#include "server/attach/attach_server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "proto/wire/attach_protocol.h"
#include "tests/server/attach/attach_fixture.h"

namespace quern {
namespace {

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

// An executor that never answers, and ends when it is killed.
class SilentExecutor final : public ExecutorProcess {
 public:
  int control_fd() const override { return -1; }
  int process_fd() const override { return -1; }
  absl::Status Send(const ExecutorCommand&, int) override {
    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<ExecutorAnswer>> Receive() override {
    return std::optional<ExecutorAnswer>();
  }
  void Kill() override { killed_ = true; }
  std::optional<Outcome> Reap() override {
    return killed_ ? std::optional(Outcome::kKilled) : std::nullopt;
  }

 private:
  bool killed_ = false;
};

class SilentStarter final : public ExecutorStarter {
 public:
  absl::StatusOr<std::unique_ptr<ExecutorProcess>> Start(
      const ExecutorSetup&) override {
    return std::make_unique<SilentExecutor>();
  }
};

TEST_F(AttachServerTest, AClientMayLeaveWhileItWaitsForItsExecutor) {
  starter_ = std::make_unique<SilentStarter>();
  Start();
  {
    Client waiting = Attach();
    ASSERT_TRUE(waiting.Send(BytesOf(Request(QUERN_ATTACH_OPEN_RING, 4))));
    // What it asks meanwhile is not answered before that.
    ASSERT_TRUE(waiting.Send(BytesOf(Request(QUERN_ATTACH_ALLOC_BUFFER, 1))));
    Client other = Attach();
    WaitForSessions(2);
    EXPECT_EQ(other.Ask(Request(QUERN_ATTACH_ALLOC_BUFFER, 1)).reply.type,
              uint32_t{QUERN_ATTACH_BUFFER});
    EXPECT_EQ(counters_.running.load(), 1u);
  }
  WaitForSessions(0);
  EXPECT_EQ(counters_.running.load(), 0u);
}

TEST_F(AttachServerTest, TheDaemonItselfMayConnect) {
  Start();
  const UniqueFd socket = *server_->Connect();
  const std::string hello = BytesOf(Request(QUERN_ATTACH_HELLO));
  ASSERT_TRUE(SendPacket(socket.get(), hello).ok());
  const Packet welcome =
      *ReceivePacket(socket.get(), sizeof(quern_attach_reply));
  EXPECT_TRUE(welcome.fd.valid());
  EXPECT_EQ(server_->session_count(), 1u);
}

}  // namespace
}  // namespace quern
