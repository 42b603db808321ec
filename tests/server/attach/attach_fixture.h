// A server of the attach socket, and clients that connect to it.
#ifndef QUERN_TESTS_SERVER_ATTACH_ATTACH_FIXTURE_H_
#define QUERN_TESTS_SERVER_ATTACH_ATTACH_FIXTURE_H_

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <optional>
#include <string>

#include "proto/wire/attach_protocol.h"
#include "proto/wire/packet.h"
#include "server/attach/attach_server.h"
#include "tests/fakes/fake_clock.h"

namespace quern {

class QuietLogger final : public Logger {
 public:
  void Log(LogLevel, std::string_view) override {}
};

inline quern_attach_request Request(uint32_t type, uint64_t argument = 0) {
  quern_attach_request request{};
  request.magic = QUERN_ATTACH_MAGIC;
  request.version = QUERN_ATTACH_VERSION;
  request.type = type;
  request.argument = argument;
  return request;
}

inline std::string BytesOf(const quern_attach_request& request) {
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
                                 {.directory = *directory_,
                                  .clock = clock_,
                                  .logger = logger_,
                                  .make_token =
                                      [this] {
                                        SessionToken token{};
                                        token[0] = ++last_token_;
                                        return token;
                                      },
                                  .served = Served()},
                                 std::move(listener));
  }

  ServedParts Served() {
    return {.slabs = *slabs_,
            .find_kernel =
                [this](const KernelKey& key) -> std::optional<KernelInfo> {
              const auto found = kernels_.find(key);
              if (found == kernels_.end()) return std::nullopt;
              return found->second;
            },
            .starter = *starter_,
            .setup = {},
            .clock = clock_,
            .limits = limits_,
            .counters = counters_};
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
  ServedLimits limits_;
  ServedCounters counters_;
  std::map<KernelKey, KernelInfo> kernels_;
  std::unique_ptr<ExecutorStarter> starter_ = NewExecutorStarter("/nowhere");
  std::unique_ptr<KernelDirectory> directory_ = *CreateKernelDirectory(64, 77);
  sockaddr_un address_{};
  socklen_t size_ = 0;
  std::unique_ptr<AttachServer> server_;
};

}  // namespace quern

#endif  // QUERN_TESTS_SERVER_ATTACH_ATTACH_FIXTURE_H_
