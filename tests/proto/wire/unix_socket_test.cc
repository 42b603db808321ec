// Connecting to Unix sockets.
#include "proto/wire/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"

namespace quern {
namespace {

class UnixSocketTest : public testing::Test {
 protected:
  UnixSocketTest() {
    char name[] = "/tmp/quern-socket-test-XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ + "/socket";
  }
  ~UnixSocketTest() override { std::filesystem::remove_all(folder_); }

  // A bound socket at `path_`, listening if `backlog` is not negative.
  UniqueFd Bind(int backlog) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path_.c_str());
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address),
                     sizeof(address)),
              0);
    if (backlog >= 0) EXPECT_EQ(::listen(fd.get(), backlog), 0);
    return fd;
  }

  absl::StatusCode CodeOf(const std::string& path) {
    return ConnectUnixSocket(path, SOCK_STREAM).status().code();
  }

  std::string folder_;
  std::string path_;
};

TEST_F(UnixSocketTest, AListenerIsConnectedTo) {
  const UniqueFd listener = Bind(8);
  const auto fd = ConnectUnixSocket(path_, SOCK_STREAM);
  ASSERT_TRUE(fd.ok()) << fd.status();
  EXPECT_NE(::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(UnixSocketTest, AnEmptyPlaceIsNotFound) {
  EXPECT_EQ(CodeOf(path_), absl::StatusCode::kNotFound);
}

TEST_F(UnixSocketTest, ASocketWithoutAListenerIsUnavailable) {
  const UniqueFd silent = Bind(-1);
  EXPECT_EQ(CodeOf(path_), absl::StatusCode::kUnavailable);
}

TEST_F(UnixSocketTest, ThePathsLimitIsThatOfAnAddress) {
  EXPECT_EQ(CodeOf(std::string(107, 'x')), absl::StatusCode::kNotFound);
  EXPECT_EQ(CodeOf(std::string(108, 'x')), absl::StatusCode::kInvalidArgument);
}

TEST_F(UnixSocketTest, ATimeoutBoundsReceiving) {
  const UniqueFd listener = Bind(8);
  const auto fd = ConnectUnixSocket(path_, SOCK_STREAM, absl::Milliseconds(20));
  ASSERT_TRUE(fd.ok());
  char byte;
  EXPECT_EQ(::recv(fd->get(), &byte, 1, 0), -1);
  EXPECT_EQ(errno, EAGAIN);
}

}  // namespace
}  // namespace quern
