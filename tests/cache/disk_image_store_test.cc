// Tests of kernels in files: damage and faults.
#include "cache/disk_image_store.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/cache/disk_image_store_fixture.h"

namespace quern {
namespace {

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

TEST_F(DiskImageStoreTest, WhatIsNotInMemoryOnlyGetCanTell) {
  const auto store = Open();
  ASSERT_TRUE(Put(*store, 1).ok());
  EXPECT_TRUE(absl::IsUnavailable(store->TryGet(FakeKey(1)).status()));
  folder_.cached = true;
  EXPECT_EQ(**store->TryGet(FakeKey(1)), *ImageOf(FakeKey(1)));
  EXPECT_TRUE(absl::IsNotFound(store->TryGet(FakeKey(2)).status()));
}

TEST_F(DiskImageStoreTest, ALookInMemoryNeverServesOrRemovesWhatIsDamaged) {
  const auto store = Open();
  ASSERT_TRUE(Put(*store, 1).ok());
  folder_.cached = true;
  const std::string name = FakeKey(1).ToHex();
  const std::string good = folder_.Contents().at(name);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
    folder_.Set(name, bad);
    ASSERT_TRUE(absl::IsUnavailable(store->TryGet(FakeKey(1)).status())) << i;
  }
  EXPECT_EQ(Keys(), "1");
  EXPECT_TRUE(absl::IsNotFound(store->Get(FakeKey(1)).status()));
  EXPECT_EQ(Keys(), "");
}

TEST_F(DiskImageStoreTest, ALargeEntryIsLeftToGet) {
  const auto store = Open(1024);
  folder_.cached = true;
  // With the header: the longest entry that is tried, and one byte more.
  for (const uint64_t size : {256 * 1024 - 128, 256 * 1024 - 127}) {
    const Image image = std::make_shared<const std::string>(
        FakeImage(FakeKey(1), "kernel", FakeHostMachine(), size));
    ASSERT_TRUE(store->Put(FakeKey(1), image, nullptr).ok());
    EXPECT_EQ(store->TryGet(FakeKey(1)).ok(), size % 2 == 0);
    EXPECT_TRUE(store->Get(FakeKey(1)).ok());
  }
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
