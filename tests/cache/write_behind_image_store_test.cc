// Tests of writing later.
#include "cache/write_behind_image_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "cache/disk_image_store.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_image.h"
#include "tests/fakes/fault_file_ops.h"

namespace quern {
namespace {

Image ImageOf(uint8_t key) {
  return std::make_shared<const std::string>(
      FakeImage(FakeKey(key), "kernel", FakeHostMachine()));
}

class WriteBehindImageStoreTest : public testing::Test {
 protected:
  void Open(uint32_t queued_max = 16, uint64_t queued_bytes_max = 1 << 20,
            DiskImageStoreOptions disk = {}) {
    WriteBehindOptions options;
    options.queued_max = queued_max;
    options.queued_bytes_max = queued_bytes_max;
    options.on_written = [this](const absl::Status& status) {
      ++(status.ok() ? written_ : failed_);
    };
    store_ = NewWriteBehindImageStore(
        NewDiskImageStore(folder_.Open(), disk,
                          [this] { return clock_.Now(); }),
        std::move(options));
  }

  absl::Status Put(uint8_t key) {
    return store_->Put(FakeKey(key), ImageOf(key), nullptr);
  }

  // Puts 0 while the disk is held, and returns when the thread is at it.
  void OccupyTheThread() {
    folder_.Hold();
    const uint64_t calls = folder_.calls();
    ASSERT_TRUE(Put(0).ok());
    while (folder_.calls() == calls) std::this_thread::yield();
  }

  FakeClock clock_;
  FaultyFolder folder_;
  std::atomic<int> written_{0};
  std::atomic<int> failed_{0};
  std::unique_ptr<WriteBehindImageStore> store_;
};

TEST_F(WriteBehindImageStoreTest, DrainWritesWhatIsQueued) {
  Open();
  OccupyTheThread();
  for (uint8_t key = 1; key <= 9; ++key) ASSERT_TRUE(Put(key).ok());
  folder_.Release();
  store_->Drain(absl::Minutes(1));
  EXPECT_EQ(written_, 10);
  EXPECT_EQ(folder_.Contents().size(), 10u);
  EXPECT_EQ(store_->dropped(), 0u);
}

TEST_F(WriteBehindImageStoreTest, DrainEndsInTimeOnADiskThatHangs) {
  Open();
  OccupyTheThread();
  ASSERT_TRUE(Put(1).ok());
  ASSERT_TRUE(Put(2).ok());
  store_->Drain(absl::Milliseconds(20));
  EXPECT_EQ(store_->dropped(), 2u);
  EXPECT_EQ(written_, 0);
  folder_.Release();
}

TEST_F(WriteBehindImageStoreTest, AfterDrainNothingIsTaken) {
  Open();
  store_->Drain(absl::Minutes(1));
  EXPECT_TRUE(Put(1).ok());
  EXPECT_EQ(store_->dropped(), 1u);
  EXPECT_TRUE(absl::IsNotFound(store_->Get(FakeKey(1)).status()));
}

TEST_F(WriteBehindImageStoreTest, TheQueueTakesItsLimitAndDropsTheNext) {
  Open(3);
  OccupyTheThread();
  for (uint8_t key = 1; key <= 4; ++key) EXPECT_TRUE(Put(key).ok());
  EXPECT_EQ(store_->dropped(), 1u);
  EXPECT_TRUE(store_->Get(FakeKey(3)).ok());
  folder_.Release();
  store_->Drain(absl::Minutes(1));
  EXPECT_EQ(written_, 4);
  EXPECT_FALSE(folder_.Contents().contains(FakeKey(4).ToHex()));
}

TEST_F(WriteBehindImageStoreTest, TheQueueTakesItsBytesAndDropsTheNext) {
  const uint64_t size = ImageOf(1)->size();
  Open(16, 2 * size);
  OccupyTheThread();
  ASSERT_TRUE(Put(1).ok());
  ASSERT_TRUE(Put(2).ok());
  EXPECT_EQ(store_->dropped(), 0u);
  ASSERT_TRUE(Put(3).ok());
  EXPECT_EQ(store_->dropped(), 1u);
  folder_.Release();
}

TEST_F(WriteBehindImageStoreTest, WhatIsQueuedOrBeingWrittenIsFound) {
  Open();
  OccupyTheThread();
  auto spec = std::make_shared<CompileSpec>();
  spec->source = "words";
  ASSERT_TRUE(store_->Put(FakeKey(1), ImageOf(1), spec).ok());
  EXPECT_EQ(**store_->Get(FakeKey(0)), *ImageOf(0));
  EXPECT_EQ(**store_->Get(FakeKey(1)), *ImageOf(1));
  EXPECT_EQ((*store_->GetSource(FakeKey(1)))->source, "words");
  folder_.Release();
}

TEST_F(WriteBehindImageStoreTest, WhatIsRemovedFromTheQueueIsNeverWritten) {
  Open();
  OccupyTheThread();
  ASSERT_TRUE(Put(1).ok());
  std::thread remover([this] {
    // Waits for the disk, as the entry may lie there too.
    EXPECT_TRUE(store_->Remove(FakeKey(1)).ok());
  });
  while (folder_.calls() < 2) std::this_thread::yield();
  folder_.Release();
  remover.join();
  store_->Drain(absl::Minutes(1));
  EXPECT_FALSE(folder_.Contents().contains(FakeKey(1).ToHex()));
  EXPECT_TRUE(folder_.Contents().contains(FakeKey(0).ToHex()));
}

TEST_F(WriteBehindImageStoreTest, WhatIsRemovedDuringItsWriteIsGone) {
  Open();
  OccupyTheThread();
  std::thread remover([this] { EXPECT_TRUE(store_->Remove(FakeKey(0)).ok()); });
  folder_.Release();
  remover.join();
  EXPECT_FALSE(folder_.Contents().contains(FakeKey(0).ToHex()));
}

TEST_F(WriteBehindImageStoreTest, AUseCountsBeforeTheNextWriteMakesRoom) {
  DiskImageStoreOptions disk;
  disk.size_bytes_max = 2 * 4096;  // An entry takes a block.
  Open(16, 1 << 20, disk);
  for (const uint8_t key : {1, 2}) {
    ASSERT_TRUE(Put(key).ok());
    while (written_ < key) std::this_thread::yield();
    clock_.Advance(absl::Seconds(1));
  }
  store_->Touch(FakeKey(1));
  ASSERT_TRUE(Put(3).ok());
  while (written_ < 3) std::this_thread::yield();
  EXPECT_TRUE(folder_.Contents().contains(FakeKey(1).ToHex()));
  EXPECT_FALSE(folder_.Contents().contains(FakeKey(2).ToHex()));
  EXPECT_TRUE(folder_.Contents().contains(FakeKey(3).ToHex()));
}

TEST_F(WriteBehindImageStoreTest, AUseWaitsForNoDisk) {
  Open();
  OccupyTheThread();
  const uint64_t calls = folder_.calls();
  for (int i = 0; i < 5000; ++i) store_->Touch(FakeKey(1));
  EXPECT_EQ(folder_.calls(), calls);
  folder_.Release();
  store_->Drain(absl::Minutes(1));
  // What was too much has been forgotten.
  EXPECT_GE(folder_.calls(), calls + 1024);
  EXPECT_LT(folder_.calls(), calls + 1100);
}

TEST_F(WriteBehindImageStoreTest, AFailedWriteIsSaid) {
  folder_.SetReadOnly(true);
  Open();
  ASSERT_TRUE(Put(1).ok());
  store_->Drain(absl::Minutes(1));
  EXPECT_EQ(failed_, 1);
}

}  // namespace
}  // namespace quern
