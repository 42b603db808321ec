// Tests of listening sockets with a path.
#include "server/app/listener.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

namespace quern {
namespace {

class ListenerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "listener_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ + "/socket";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  bool Connects(int type = SOCK_STREAM) const {
    const UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address),
                     sizeof(address)) == 0;
  }

  std::string folder_;
  std::string path_;
};

TEST_F(ListenerTest, AListenerTakesConnectionsAndItsPathGoesWithIt) {
  {
    const auto listener = Listener::Open(path_, SOCK_SEQPACKET, 0640);
    ASSERT_TRUE(listener.ok()) << listener.status();
    EXPECT_TRUE(Connects(SOCK_SEQPACKET));
    struct stat status;
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0640u);
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ListenerTest, ASocketThatADeadDaemonLeftIsReplaced) {
  {
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path_.data(), path_.size());
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<sockaddr*>(&address),
                     sizeof(address)),
              0);
  }
  EXPECT_FALSE(Connects());
  const auto listener = Listener::Open(path_, SOCK_STREAM, 0600);
  ASSERT_TRUE(listener.ok());
  EXPECT_TRUE(Connects());
}

TEST_F(ListenerTest, APathThatSomebodyElseHasTakenIsLeftAlone) {
  {
    const auto first = Listener::Open(path_, SOCK_STREAM, 0600);
    ASSERT_TRUE(first.ok());
    EXPECT_TRUE(first->InPlace());
    std::filesystem::remove(path_);
    EXPECT_FALSE(first->InPlace());
    std::ofstream(path_) << "another's";
    EXPECT_FALSE(first->InPlace());
  }
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST_F(ListenerTest, AFileIsNotReplaced) {
  std::ofstream(path_) << "precious";
  EXPECT_TRUE(absl::IsFailedPrecondition(
      Listener::Open(path_, SOCK_STREAM, 0600).status()));
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST_F(ListenerTest, AMissingFolderIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(
      Listener::Open(folder_ + "/no/socket", SOCK_STREAM, 0600).status()));
  EXPECT_TRUE(absl::IsNotFound(PathLock::Take(folder_ + "/no/x").status()));
}

TEST_F(ListenerTest, APathIsLockedOnceUntilTheLockGoes) {
  {
    const auto lock = PathLock::Take(path_);
    ASSERT_TRUE(lock.ok());
    EXPECT_TRUE(absl::IsAlreadyExists(PathLock::Take(path_).status()));
  }
  EXPECT_TRUE(PathLock::Take(path_).ok());
}

}  // namespace
}  // namespace quern
