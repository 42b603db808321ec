// Starting private daemons, with a shell script in place of one.
#include "client/rpc/private_daemon.h"

#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gtest/gtest.h"

namespace quern {
namespace {

class PrivateDaemonTest : public testing::Test {
 protected:
  PrivateDaemonTest() {
    char name[] = "/tmp/quern-private-test-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~PrivateDaemonTest() override { std::filesystem::remove_all(folder_); }

  // A program that runs `script`.
  std::string Program(const std::string& script) {
    const std::string path = folder_ + "/program";
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    ::chmod(path.c_str(), 0700);
    return path;
  }

  // The contents of a file that a program started here writes, some time.
  static std::string TextOnceItHas(const std::string& part,
                                   const std::string& path) {
    std::string text;
    while (text.find(part) == std::string::npos) {
      std::ifstream file(path);
      text.assign(std::istreambuf_iterator<char>(file), {});
    }
    return text;
  }

  // What starts `program`, with a disk of a name that must be quoted.
  DaemonStart Start(const std::string& program) {
    return {.program = program, .cache_folder = folder_ + "/ker\"nels"};
  }

  std::string folder_;
};

TEST_F(PrivateDaemonTest, AMissingProgramIsNotFound) {
  EXPECT_EQ(
      EnsureDaemon(folder_, Start(folder_ + "/none"), absl::Seconds(5)).code(),
      absl::StatusCode::kNotFound);
}

// What EnsureDaemon opens then has the numbers of standard descriptors.
TEST_F(PrivateDaemonTest, AProcessWithoutStandardDescriptorsStartsOneToo) {
  const DaemonStart missing = Start(folder_ + "/none");
  const DaemonStart started = Start(Program("echo started >&2"));
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (int fd = 0; fd <= STDERR_FILENO; ++fd) ::close(fd);
    const absl::Status none = EnsureDaemon(folder_, missing, absl::Seconds(5));
    const absl::Status mute =
        EnsureDaemon(folder_, started, absl::Milliseconds(200));
    ::_exit(absl::IsNotFound(none) && absl::IsDeadlineExceeded(mute) ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(TextOnceItHas("started\n", folder_ + "/quernd.log")
                .substr(0, std::string("started\n").size()),
            "started\n");
}

TEST_F(PrivateDaemonTest, AProgramThatDoesNotListenIsADeadlineExceeded) {
  const absl::Status status = EnsureDaemon(
      folder_, Start(Program("echo started >&2")), absl::Milliseconds(200));
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(TextOnceItHas("started\n", folder_ + "/quernd.log")
                .substr(0, std::string("started\n").size()),
            "started\n");
}

TEST_F(PrivateDaemonTest, TheProgramGetsItsConfigurationAndNothingElse) {
  const std::string seen = folder_ + "/seen";
  // Its words, its descriptors beyond the first three, its environment.
  EXPECT_FALSE(
      EnsureDaemon(folder_,
                   Start(Program("cat \"$1\" > " + seen +
                                 "; ls /proc/$$/fd | wc -l >> " + seen +
                                 "; tr '\\0' '\\n' < /proc/$$/environ >> " +
                                 seen + "; echo end >> " + seen)),
                   absl::Milliseconds(500))
          .ok());
  const std::string text = TextOnceItHas("end\n", seen);
  EXPECT_NE(text.find("rpc_path: \"" + folder_ + "/rpc.sock\""),
            std::string::npos);
  EXPECT_NE(text.find("disk { path: \"" + folder_ + "/ker\\\"nels\" }"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("HOME="), std::string::npos);
}

TEST_F(PrivateDaemonTest, WithoutACacheFolderTheConfigurationNamesNoDisk) {
  EXPECT_FALSE(EnsureDaemon(folder_,
                            {.program = Program("exit 1"), .cache_folder = ""},
                            absl::Milliseconds(100))
                   .ok());
  std::ifstream file(folder_ + "/daemon.textproto");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_NE(text.find("sockets"), std::string::npos);
  EXPECT_EQ(text.find("disk"), std::string::npos);
}

// The environment has no say.
TEST_F(PrivateDaemonTest, TheCacheFolderIsInTheHomeOfTheUserDatabase) {
  const absl::StatusOr<std::string> folder = PrivateCacheFolder();
  if (!folder.ok()) GTEST_SKIP() << "this user has no home";
  const char* const home = ::getpwuid(::geteuid())->pw_dir;
  EXPECT_EQ(*folder, std::string(home) + "/.cache/quern");
}

TEST_F(PrivateDaemonTest, TheFolderIsThisUsersAlone) {
  const absl::StatusOr<std::string> folder = PrivateFolder();
  ASSERT_TRUE(folder.ok()) << folder.status();
  struct stat status;
  ASSERT_EQ(::lstat(folder->c_str(), &status), 0);
  EXPECT_TRUE(S_ISDIR(status.st_mode));
  EXPECT_EQ(status.st_uid, ::geteuid());
  EXPECT_EQ(status.st_mode & 077, 0u);
}

}  // namespace
}  // namespace quern
