// Tests of the disk as the daemon composes it: what it counts, and what it
// says when it does not work.
#include "server/app/kernel_disk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

class KeepingLogger final : public Logger {
 public:
  void Log(LogLevel level, std::string_view message) override {
    std::lock_guard lock(mutex_);
    if (level == LogLevel::kWarning) warnings_.emplace_back(message);
  }
  std::vector<std::string> warnings() {
    std::lock_guard lock(mutex_);
    return warnings_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> warnings_;
};

class KernelDiskTest : public testing::Test {
 protected:
  KernelDiskTest() {
    std::string pattern = testing::TempDir() + "kernel_disk_XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    base_ = pattern;
    config_ = *ParseConfig(
        "sockets { rpc_path: \"/r\" attach_path: \"/a\" } disk { path: \"" +
            base_ + "/kernels\" }",
        {});
  }
  ~KernelDiskTest() override { std::filesystem::remove_all(base_); }

  std::unique_ptr<KernelDisk> Open() {
    return OpenKernelDisk(config_, ++writer_, clock_, logger_);
  }

  static void Keep(KernelDisk& disk, uint8_t key) {
    disk.archive().Keep(FakeKey(key),
                        std::make_shared<const std::string>(FakeImage(
                            FakeKey(key), "kernel", FakeHostMachine())),
                        nullptr);
  }

  static absl::Status Find(KernelDisk& disk, uint8_t key) {
    std::promise<absl::Status> found;
    disk.archive().Find(FakeKey(key), [&](const absl::StatusOr<Image>& image) {
      found.set_value(image.status());
    });
    return found.get_future().get();
  }

  static v1::GetStatsResponse Stats(KernelDisk& disk) {
    v1::GetStatsResponse response;
    disk.AddStats(response);
    return response;
  }

  FakeClock clock_;
  KeepingLogger logger_;
  Config config_;
  std::string base_;
  uint64_t writer_ = 0;
};

TEST_F(KernelDiskTest, WhatHappensIsCounted) {
  {
    const auto disk = Open();
    EXPECT_TRUE(absl::IsNotFound(Find(*disk, 1)));
    Keep(*disk, 1);
    Keep(*disk, 2);
    disk->Drain(absl::Minutes(1));
    const v1::DiskStats stats = Stats(*disk).disk();
    EXPECT_EQ(stats.path(), base_ + "/kernels");
    EXPECT_EQ(stats.problem(), "");
    EXPECT_EQ(stats.misses(), 1u);
    EXPECT_EQ(stats.writes(), 2u);
    EXPECT_EQ(stats.entries(), 2u);
    EXPECT_EQ(stats.size_bytes(), 8192u);
  }
  std::ofstream(base_ + "/kernels/" + FakeKey(2).ToHex()) << "damaged";
  const auto disk = Open();
  EXPECT_TRUE(Find(*disk, 1).ok());
  EXPECT_TRUE(absl::IsNotFound(Find(*disk, 2)));
  disk->Drain(absl::Minutes(1));
  Keep(*disk, 3);
  const v1::DiskStats stats = Stats(*disk).disk();
  EXPECT_EQ(stats.hits(), 1u);
  EXPECT_EQ(stats.misses(), 1u);
  EXPECT_EQ(stats.bad_entries_removed(), 1u);
  EXPECT_EQ(stats.dropped_writes(), 1u);
  EXPECT_TRUE(logger_.warnings().empty());
}

TEST_F(KernelDiskTest, WithoutAPathThereIsNoDiskAndNothingToSay) {
  config_.disk_path.clear();
  const auto disk = Open();
  Keep(*disk, 1);
  EXPECT_TRUE(absl::IsNotFound(Find(*disk, 1)));
  EXPECT_FALSE(Stats(*disk).has_disk());
  EXPECT_TRUE(logger_.warnings().empty());
}

TEST_F(KernelDiskTest, AFolderThatCannotBeUsedIsAWarningAndAProblem) {
  ASSERT_EQ(::mkdir(config_.disk_path.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(config_.disk_path.c_str(), 0777), 0);
  const auto disk = Open();
  Keep(*disk, 1);
  EXPECT_TRUE(absl::IsNotFound(Find(*disk, 1)));
  EXPECT_NE(Stats(*disk).disk().problem(), "");
  EXPECT_EQ(logger_.warnings().size(), 1u);
}

TEST_F(KernelDiskTest, WritesThatFailAreOneWarningAndAProblemUntilOneWorks) {
  const auto disk = Open();
  // A folder in the way of each entry: a file cannot be renamed over it.
  for (uint8_t key = 1; key <= 2; ++key) {
    const std::string path = config_.disk_path + "/" + FakeKey(key).ToHex();
    std::filesystem::create_directories(path + "/in the way");
    Keep(*disk, key);
  }
  while (Stats(*disk).disk().write_failures() != 2) {
  }
  while (Stats(*disk).disk().problem().empty()) {
  }
  Keep(*disk, 3);
  disk->Drain(absl::Minutes(1));
  EXPECT_EQ(Stats(*disk).disk().problem(), "");
  EXPECT_EQ(logger_.warnings().size(), 1u);
}

TEST_F(KernelDiskTest, AfterStopQuestionsAreAnsweredAtOnce) {
  const auto disk = Open();
  disk->Stop();
  std::promise<absl::Status> removed;
  disk->archive().Remove(FakeKey(1), [&](const absl::Status& status) {
    removed.set_value(status);
  });
  EXPECT_TRUE(absl::IsUnavailable(removed.get_future().get()));
  EXPECT_EQ(Stats(*disk).disk().late_reads(), 1u);
}

}  // namespace
}  // namespace quern
