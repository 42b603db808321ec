// Tests of looking for the system's service.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "client/rpc/private_daemon.h"
#include "proto/wire/unique_fd.h"

namespace quern {
namespace {

constexpr uid_t kNobody = 65534;

class ServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "service_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
    sockets_ = SocketsIn(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static void Make(const std::string& path, mode_t mode) {
    const UniqueFd file(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
    ASSERT_TRUE(file.valid());
    ASSERT_EQ(::fchmod(file.get(), mode), 0);
  }

  // Whether `check` holds for a process that is not root's.
  template <typename Check>
  static bool HoldsForAUser(Check check) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      if (::getuid() == 0 && ::setuid(kNobody) != 0) ::_exit(2);
      ::_exit(check() ? 0 : 1);
    }
    int status = 0;
    return ::waitpid(pid, &status, 0) == pid && status == 0;
  }

  std::string folder_;
  DaemonSockets sockets_;
};

TEST_F(ServiceTest, WhereThereAreNoSocketsThereIsNone) {
  EXPECT_TRUE(absl::IsNotFound(UsableService(sockets_)));
  Make(sockets_.rpc_path, 0666);
  EXPECT_TRUE(absl::IsNotFound(UsableService(sockets_)));
}

TEST_F(ServiceTest, WhoMayOpenBothSocketsMayUseIt) {
  Make(sockets_.rpc_path, 0666);
  Make(sockets_.attach_path, 0666);
  EXPECT_TRUE(HoldsForAUser([this] { return UsableService(sockets_).ok(); }));
}

TEST_F(ServiceTest, WhoMayNotIsToldTheGroup) {
  Make(sockets_.rpc_path, 0666);
  Make(sockets_.attach_path, 0);
  EXPECT_TRUE(HoldsForAUser([this] {
    const absl::Status status = UsableService(sockets_);
    return absl::IsPermissionDenied(status) &&
           testing::Value(std::string(status.message()),
                          testing::HasSubstr("attach.sock is for members of "
                                             "the group `"));
  }));
}

}  // namespace
}  // namespace quern
