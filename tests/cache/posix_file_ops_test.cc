// Tests of the system's files: what a hostile or broken folder does.
#include "cache/posix_file_ops.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace quern {
namespace {

class PosixFileOpsTest : public testing::Test {
 protected:
  PosixFileOpsTest() {
    std::string pattern = testing::TempDir() + "file_ops_XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    base_ = pattern;
    folder_ = base_ + "/kernels";
  }
  ~PosixFileOpsTest() override { std::filesystem::remove_all(base_); }

  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << bytes;
  }

  std::string base_;
  std::string folder_;
};

TEST_F(PosixFileOpsTest, AMissingFolderIsMadeForThisUserAlone) {
  ASSERT_TRUE(OpenFolder(folder_).ok());
  struct stat status;
  ASSERT_EQ(::lstat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  EXPECT_TRUE(OpenFolder(folder_).ok());
}

TEST_F(PosixFileOpsTest, AFolderInAMissingFolderIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(OpenFolder(folder_ + "/deeper").status()));
}

TEST_F(PosixFileOpsTest, AFolderThatOthersMayWriteToIsDenied) {
  ASSERT_EQ(::mkdir(folder_.c_str(), 0700), 0);
  for (const mode_t mode : {0720, 0702, 0777}) {
    ASSERT_EQ(::chmod(folder_.c_str(), mode), 0);
    EXPECT_TRUE(absl::IsPermissionDenied(OpenFolder(folder_).status())) << mode;
  }
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  EXPECT_TRUE(OpenFolder(folder_).ok());
}

TEST_F(PosixFileOpsTest, ALinkAndAFileAreNoFolder) {
  ASSERT_EQ(::symlink("/tmp", folder_.c_str()), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(OpenFolder(folder_).status()));
  ASSERT_EQ(::unlink(folder_.c_str()), 0);
  std::ofstream(folder_) << "a file";
  EXPECT_TRUE(absl::IsPermissionDenied(OpenFolder(folder_).status()));
}

TEST_F(PosixFileOpsTest, SomebodyElsesFolderIsDenied) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  ASSERT_EQ(::mkdir(folder_.c_str(), 0700), 0);
  ASSERT_EQ(::chown(folder_.c_str(), 12345, 12345), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(OpenFolder(folder_).status()));
}

TEST_F(PosixFileOpsTest, WhatWasWrittenAndRenamedIsRead) {
  const auto files = *OpenFolder(folder_);
  {
    const auto file = *files->Create("new");
    ASSERT_TRUE(file->Append("some ").ok());
    ASSERT_TRUE(file->Append("words").ok());
    ASSERT_TRUE(file->Sync().ok());
    EXPECT_TRUE(absl::IsAlreadyExists(files->Create("new").status()));
  }
  struct stat status;
  ASSERT_EQ(::stat((folder_ + "/new").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  ASSERT_TRUE(files->Rename("new", "name").ok());
  EXPECT_EQ(*files->Read("name", 10), "some words");
  EXPECT_TRUE(absl::IsInvalidArgument(files->Read("name", 9).status()));
  EXPECT_TRUE(absl::IsNotFound(files->Read("new", 10).status()));
  ASSERT_TRUE(files->Remove("name").ok());
  EXPECT_TRUE(absl::IsNotFound(files->Remove("name")));
}

// Which of the two answers there is depends on the file system.
TEST_F(PosixFileOpsTest, WhatIsInMemoryIsReadWithoutWaitingOrNotAtAll) {
  const auto files = *OpenFolder(folder_);
  Write("name", "some words");
  const absl::StatusOr<std::string> bytes = files->ReadCached("name", 10);
  if (bytes.ok()) {
    EXPECT_EQ(*bytes, "some words");
  } else {
    EXPECT_TRUE(absl::IsUnavailable(bytes.status())) << bytes.status();
  }
  EXPECT_FALSE(files->ReadCached("name", 9).ok());
  EXPECT_FALSE(files->ReadCached("none", 9).ok());
  ASSERT_EQ(::mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("/etc/passwd", (folder_ + "/link").c_str()), 0);
  EXPECT_FALSE(files->ReadCached("pipe", 1 << 20).ok());
  EXPECT_FALSE(files->ReadCached("link", 1 << 20).ok());
}

TEST_F(PosixFileOpsTest, WhatIsNoRegularFileIsNotRead) {
  const auto files = *OpenFolder(folder_);
  ASSERT_EQ(::mkfifo((folder_ + "/pipe").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("/etc/passwd", (folder_ + "/link").c_str()), 0);
  ASSERT_EQ(::mkdir((folder_ + "/folder").c_str(), 0700), 0);
  for (const char* name : {"pipe", "link", "folder"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(files->Read(name, 100).status()))
        << name;
    EXPECT_TRUE(files->Remove(name).ok()) << name;
  }
  EXPECT_TRUE(std::filesystem::exists("/etc/passwd"));
}

TEST_F(PosixFileOpsTest, RegularFilesAreListedWithSizeAndTime) {
  const auto files = *OpenFolder(folder_);
  Write("one", "1");
  Write("three", "333");
  ASSERT_EQ(::mkdir((folder_ + "/folder").c_str(), 0700), 0);
  const absl::Time time =
      absl::FromUnixSeconds(1234567890) + absl::Nanoseconds(123456789);
  ASSERT_TRUE(files->SetModified("three", time).ok());
  EXPECT_EQ(files->Inspect("three")->modified, time);
  EXPECT_TRUE(absl::IsNotFound(files->Inspect("two").status()));
  uint64_t size_bytes = 0;
  const auto list = *files->List();
  EXPECT_EQ(list.size(), 2u);
  for (const FileInfo& file : list) size_bytes += file.size_bytes;
  EXPECT_EQ(size_bytes, 4u);
  EXPECT_EQ(files->List()->size(), 2u);
}

// The lock must be that of the process, and go with it.
TEST_F(PosixFileOpsTest, OnlyWhatNoLivingProcessWritesIsAbandoned) {
  const auto files = *OpenFolder(folder_);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto file = files->Create("tmp");
    ::write(ready[1], file.ok() ? "1" : "0", 1);
    while (true) ::pause();
  }
  char answer = '0';
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, '1');
  EXPECT_TRUE(absl::IsUnavailable(files->RemoveAbandoned("tmp")));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(files->RemoveAbandoned("tmp").ok());
  EXPECT_TRUE(absl::IsNotFound(files->RemoveAbandoned("tmp")));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(PosixFileOpsTest, ARemovedFolderIsMadeAnewForTheNextFile) {
  const auto files = *OpenFolder(folder_);
  ASSERT_TRUE(files->Create("first").ok());
  std::filesystem::remove_all(folder_);
  EXPECT_TRUE(absl::IsNotFound(files->Read("first", 100).status()));
  ASSERT_TRUE(files->Create("second").ok());
  ASSERT_TRUE(files->Rename("second", "third").ok());
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/third"));
  EXPECT_EQ(files->List()->size(), 1u);
}

TEST_F(PosixFileOpsTest, WhatTookTheFoldersPlaceIsNotWrittenTo) {
  const auto files = *OpenFolder(folder_);
  std::filesystem::remove_all(folder_);
  ASSERT_EQ(::symlink(base_.c_str(), folder_.c_str()), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(files->Create("first").status()));
  EXPECT_FALSE(std::filesystem::exists(base_ + "/first"));
}

}  // namespace
}  // namespace quern
