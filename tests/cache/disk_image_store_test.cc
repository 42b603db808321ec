// Tests of kernels in files: damage, faults, room, and several stores on one
// folder.
#include "cache/disk_image_store.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "proto/wire/status.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_image.h"
#include "tests/fakes/fault_file_ops.h"

namespace quern {
namespace {

constexpr uint64_t kBlock = 4096;

Image ImageOf(const KernelKey& key) {
  return std::make_shared<const std::string>(
      FakeImage(key, "kernel", FakeHostMachine()));
}

SourceSpec SpecOf(const std::string& source) {
  auto spec = std::make_shared<CompileSpec>();
  spec->source = source;
  return spec;
}

class DiskImageStoreTest : public testing::Test {
 protected:
  // A store as a daemon opens it; each entry of these tests is one block.
  std::unique_ptr<DiskImageStore> Open(uint64_t blocks = 64) {
    return NewDiskImageStore(
        folder_.Open(),
        {.size_bytes_max = blocks * kBlock, .writer = ++last_writer_},
        [this] { return clock_.Now(); });
  }

  static absl::Status Put(DiskImageStore& store, uint8_t key) {
    return store.Put(FakeKey(key), ImageOf(FakeKey(key)), SpecOf("source"));
  }

  // Which of the keys 1 to 9 are there.
  std::string Keys() {
    std::string keys;
    const auto contents = folder_.Contents();
    for (uint8_t key = 1; key <= 9; ++key) {
      if (contents.contains(FakeKey(key).ToHex())) {
        keys += static_cast<char>('0' + key);
      }
    }
    return keys;
  }

  size_t Unfinished() {
    size_t count = 0;
    for (const auto& [name, bytes] : folder_.Contents()) {
      count += name.rfind("tmp-", 0) == 0 ? 1 : 0;
    }
    return count;
  }

  FakeClock clock_;
  FaultyFolder folder_;
  uint64_t last_writer_ = 0;
};

TEST_F(DiskImageStoreTest, AnotherStoreFindsWhatOneHasWritten) {
  const auto writer = Open();
  ASSERT_TRUE(Put(*writer, 1).ok());
  const auto reader = Open();
  EXPECT_EQ(**reader->Get(FakeKey(1)), *ImageOf(FakeKey(1)));
  EXPECT_EQ((*reader->GetSource(FakeKey(1)))->source, "source");
  EXPECT_EQ(Unfinished(), 0u);
}

TEST_F(DiskImageStoreTest, EveryFlippedByteIsNotFoundRemovedAndHealed) {
  const auto store = Open();
  ASSERT_TRUE(Put(*store, 1).ok());
  const std::string name = FakeKey(1).ToHex();
  const std::string good = folder_.Contents().at(name);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    folder_.Set(name, bad);
    ASSERT_TRUE(absl::IsNotFound(store->Get(FakeKey(1)).status())) << i;
    ASSERT_FALSE(folder_.Contents().contains(name)) << i;
    folder_.Set(name, bad);
    ASSERT_TRUE(absl::IsNotFound(store->GetSource(FakeKey(1)).status())) << i;
    ASSERT_FALSE(folder_.Contents().contains(name)) << i;
  }
  EXPECT_EQ(store->usage().bad_removed, 2 * good.size());
  ASSERT_TRUE(Put(*store, 1).ok());
  EXPECT_TRUE(store->Get(FakeKey(1)).ok());
  EXPECT_EQ(folder_.Contents().at(name), good);
}

TEST_F(DiskImageStoreTest, EveryCutLengthIsNotFoundAndRemoved) {
  const auto store = Open();
  ASSERT_TRUE(Put(*store, 1).ok());
  const std::string name = FakeKey(1).ToHex();
  const std::string good = folder_.Contents().at(name);
  for (size_t size = 0; size < good.size(); ++size) {
    folder_.Set(name, good.substr(0, size));
    ASSERT_TRUE(absl::IsNotFound(store->Get(FakeKey(1)).status())) << size;
    ASSERT_FALSE(folder_.Contents().contains(name)) << size;
  }
  EXPECT_EQ(store->usage().bad_removed, good.size());
}

TEST_F(DiskImageStoreTest, AnEntryUnderAnotherKeysNameIsNotServed) {
  const auto store = Open();
  ASSERT_TRUE(Put(*store, 1).ok());
  folder_.Set(FakeKey(2).ToHex(), folder_.Contents().at(FakeKey(1).ToHex()));
  EXPECT_TRUE(absl::IsNotFound(store->Get(FakeKey(2)).status()));
  EXPECT_EQ(Keys(), "1");
}

TEST_F(DiskImageStoreTest, AMediumThatCannotBeReadIsDamage) {
  const auto store = Open();
  ASSERT_TRUE(Put(*store, 1).ok());
  folder_.FailCall(1, absl::DataLossError("EIO"));
  EXPECT_TRUE(absl::IsNotFound(store->Get(FakeKey(1)).status()));
  EXPECT_EQ(store->usage().bad_removed, 1u);
  EXPECT_EQ(Keys(), "");
}

TEST_F(DiskImageStoreTest, AReadThatFailsOtherwiseLeavesTheEntry) {
  const auto store = Open();
  ASSERT_TRUE(Put(*store, 1).ok());
  folder_.FailCall(1, absl::ResourceExhaustedError("no descriptors"));
  EXPECT_TRUE(absl::IsUnavailable(store->Get(FakeKey(1)).status()));
  EXPECT_TRUE(store->Get(FakeKey(1)).ok());
}

// Whatever fails, nothing bad is ever under a key, and nothing is left over.
TEST_F(DiskImageStoreTest, AFailureOfAnyCallOfAWriteLeavesNothingBad) {
  const auto store = Open();
  ASSERT_TRUE(store->Scan().ok());
  uint64_t call = 1;
  while (true) {
    folder_.FailCall(call, absl::InternalError("failed"));
    const uint64_t before = folder_.calls();
    const absl::Status status = Put(*store, 1);
    if (folder_.calls() - before < call) break;  // All calls have failed once.
    if (status.ok()) {
      EXPECT_TRUE(store->Get(FakeKey(1)).ok()) << call;
    } else {
      EXPECT_EQ(Keys(), "") << call;
    }
    EXPECT_EQ(store->usage().bad_removed, 0u);
    store->Remove(FakeKey(1)).IgnoreError();
    EXPECT_EQ(Unfinished(), 0u) << call;
    ++call;
  }
  EXPECT_GE(call, 4u);
}

TEST_F(DiskImageStoreTest, ACrashAtAnyCallOfAWriteLeavesNothingBad) {
  for (const bool names_survive : {false, true}) {
    for (uint64_t call = 1; call <= 6; ++call) {
      {
        const auto store = Open();
        ASSERT_TRUE(store->Scan().ok());
        // The process is gone from this call on.
        for (uint64_t later = call; later < call + 20; ++later) {
          folder_.FailCall(later, absl::InternalError("crashed"));
        }
        Put(*store, 1).IgnoreError();
        folder_.Crash(names_survive);
      }
      for (int i = 0; i < 30; ++i) folder_.Open()->List().IgnoreError();
      const auto after = Open();
      ASSERT_TRUE(after->Scan().ok());
      EXPECT_EQ(Unfinished(), 0u) << call;
      const absl::StatusOr<Image> image = after->Get(FakeKey(1));
      if (image.ok()) EXPECT_EQ(**image, *ImageOf(FakeKey(1)));
      EXPECT_EQ(after->usage().bad_removed, 0u) << call;
      after->Remove(FakeKey(1)).IgnoreError();
    }
  }
}

TEST_F(DiskImageStoreTest, AFileThatALivingWriterWritesIsNotSweptAway) {
  const auto other = folder_.Open();
  auto file = *other->Create("tmp-0000000000000001-1");
  const auto store = Open();
  ASSERT_TRUE(store->Scan().ok());
  EXPECT_EQ(Unfinished(), 1u);
  file.reset();
  ASSERT_TRUE(store->Scan().ok());
  EXPECT_EQ(Unfinished(), 0u);
}

TEST_F(DiskImageStoreTest, FilesOfOtherNamesAreLeftAlone) {
  folder_.Set("README", "hello");
  folder_.Set(std::string(64, 'A'), "not lower case");
  const auto store = Open(1);
  ASSERT_TRUE(Put(*store, 1).ok());
  ASSERT_TRUE(Put(*store, 2).ok());
  EXPECT_TRUE(folder_.Contents().contains("README"));
  EXPECT_TRUE(folder_.Contents().contains(std::string(64, 'A')));
  EXPECT_EQ(store->usage().entries, 1u);
}

TEST_F(DiskImageStoreTest, AFullDiskIsAnErrorOfTheWriteAndLeavesNothing) {
  const auto store = Open();
  ASSERT_TRUE(Put(*store, 1).ok());
  folder_.SetCapacity(folder_.Contents().at(FakeKey(1).ToHex()).size() + 100);
  EXPECT_TRUE(absl::IsResourceExhausted(Put(*store, 2)));
  EXPECT_EQ(Keys(), "1");
  EXPECT_EQ(Unfinished(), 0u);
  EXPECT_TRUE(store->Get(FakeKey(1)).ok());
  folder_.SetCapacity(std::nullopt);
  EXPECT_TRUE(Put(*store, 2).ok());
}

TEST_F(DiskImageStoreTest, AReadOnlyDiskIsReadAndBadEntriesAreNotServed) {
  {
    const auto store = Open();
    ASSERT_TRUE(Put(*store, 1).ok());
    ASSERT_TRUE(Put(*store, 2).ok());
  }
  folder_.Set(FakeKey(2).ToHex(), "damaged");
  folder_.SetReadOnly(true);
  const auto store = Open();
  EXPECT_TRUE(store->Scan().ok());
  EXPECT_TRUE(store->Get(FakeKey(1)).ok());
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(absl::IsNotFound(store->Get(FakeKey(2)).status()));
  }
  EXPECT_FALSE(Put(*store, 3).ok());
  EXPECT_FALSE(store->Remove(FakeKey(1)).ok());
  EXPECT_TRUE(store->Get(FakeKey(1)).ok());
}

TEST_F(DiskImageStoreTest, OfAFullReadOnlyFolderNothingIsForgotten) {
  const auto store = Open(2);
  ASSERT_TRUE(Put(*store, 1).ok());
  ASSERT_TRUE(Put(*store, 2).ok());
  folder_.SetReadOnly(true);
  EXPECT_FALSE(Put(*store, 3).ok());
  EXPECT_EQ(store->usage().entries, 2u);
  EXPECT_EQ(store->usage().evictions, 0u);
}

TEST_F(DiskImageStoreTest, TheOrderOfUsesOutlivesTheStore) {
  {
    const auto store = Open(3);
    for (uint8_t key = 1; key <= 3; ++key) {
      ASSERT_TRUE(Put(*store, key).ok());
      clock_.Advance(absl::Seconds(1));
    }
    ASSERT_TRUE(store->Get(FakeKey(1)).ok());
  }
  const auto store = Open(3);
  ASSERT_TRUE(Put(*store, 4).ok());
  EXPECT_EQ(Keys(), "134");
  EXPECT_EQ(store->usage().evictions, 1u);
}

TEST_F(DiskImageStoreTest, AClockThatIsSetBackDoesNotTurnTheOrder) {
  {
    const auto store = Open(3);
    for (uint8_t key = 1; key <= 3; ++key) ASSERT_TRUE(Put(*store, key).ok());
    clock_.Advance(-absl::Hours(24 * 365));
    ASSERT_TRUE(store->Get(FakeKey(1)).ok());
    ASSERT_TRUE(Put(*store, 4).ok());
    EXPECT_EQ(Keys(), "134");
  }
  clock_.Advance(-absl::Hours(1));
  const auto store = Open(3);
  ASSERT_TRUE(store->Scan().ok());
  ASSERT_TRUE(store->Get(FakeKey(3)).ok());
  ASSERT_TRUE(Put(*store, 5).ok());
  EXPECT_EQ(Keys(), "345");
}

TEST_F(DiskImageStoreTest, WhatAnotherStoreUsedStays) {
  const auto mine = Open(3);
  for (uint8_t key = 1; key <= 3; ++key) ASSERT_TRUE(Put(*mine, key).ok());
  const auto other = Open(3);
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(other->Get(FakeKey(1)).ok());
  ASSERT_TRUE(Put(*mine, 4).ok());
  EXPECT_EQ(Keys(), "134");
}

TEST_F(DiskImageStoreTest, WhatAnotherStoreRemovedIsNoEviction) {
  const auto mine = Open(3);
  for (uint8_t key = 1; key <= 3; ++key) ASSERT_TRUE(Put(*mine, key).ok());
  ASSERT_TRUE(Open(3)->Remove(FakeKey(1)).ok());
  ASSERT_TRUE(Put(*mine, 4).ok());
  EXPECT_EQ(Keys(), "234");
  EXPECT_EQ(mine->usage().evictions, 0u);
}

TEST_F(DiskImageStoreTest, TwoStoresStayWithinASixteenthOfTheBound) {
  const auto first = Open(32);
  const auto second = Open(32);
  ASSERT_TRUE(first->Scan().ok());
  ASSERT_TRUE(second->Scan().ok());
  size_t most = 0;
  for (int i = 0; i < 200; ++i) {
    const KernelKey key = FakeKey(static_cast<uint8_t>(i), 1);
    DiskImageStore& store = i % 50 < 25 ? *first : *second;
    ASSERT_TRUE(store.Put(key, ImageOf(key), nullptr).ok());
    clock_.Advance(absl::Seconds(1));
    most = std::max(most, folder_.Contents().size());
  }
  EXPECT_LE(most, 32u + 3);  // The entry that is being written, too.
}

TEST_F(DiskImageStoreTest, StoresMayWriteReadAndEvictAtOnce) {
  const auto first = Open(4);
  const auto second = Open(4);
  std::vector<std::thread> threads;
  for (DiskImageStore* store : {first.get(), second.get()}) {
    for (uint8_t begin = 1; begin <= 2; ++begin) {
      threads.emplace_back([store, begin] {
        for (int i = 0; i < 500; ++i) {
          const uint8_t key = static_cast<uint8_t>((begin + i) % 8 + 1);
          const absl::StatusOr<Image> image = store->Get(FakeKey(key));
          if (image.ok()) {
            EXPECT_EQ(**image, *ImageOf(FakeKey(key)));
          } else {
            EXPECT_TRUE(absl::IsNotFound(image.status()));
            EXPECT_TRUE(Put(*store, key).ok());
          }
        }
      });
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(first->usage().bad_removed, 0u);
  EXPECT_EQ(second->usage().bad_removed, 0u);
  EXPECT_EQ(Unfinished(), 0u);
  EXPECT_LE(Keys().size(), 5u);
}

TEST_F(DiskImageStoreTest, ASourceOverTheLimitIsLeftOutAndOneAtItIsNot) {
  const SourceSpec spec = SpecOf("some words");
  const uint64_t size = CanonicalBytes(*spec).size();
  for (const uint64_t limit : {size, size - 1}) {
    const auto store = NewDiskImageStore(
        folder_.Open(), {.spec_size_bytes_max = limit, .writer = limit},
        [this] { return clock_.Now(); });
    ASSERT_TRUE(store->Put(FakeKey(1), ImageOf(FakeKey(1)), spec).ok());
    EXPECT_TRUE(store->Get(FakeKey(1)).ok());
    EXPECT_EQ(store->GetSource(FakeKey(1)).ok(), limit == size);
  }
}

}  // namespace
}  // namespace quern
