// Tests of the archives.
#include "server/core/kernel_archive.h"

#include <gtest/gtest.h>

#include <future>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "cache/disk_image_store.h"
#include "cache/memory_image_store.h"
#include "tests/fakes/fake_image.h"
#include "tests/fakes/fault_file_ops.h"

namespace quern {
namespace {

template <typename Result, typename Ask>
Result Wait(Ask ask) {
  std::promise<Result> promise;
  ask([&promise](Result result) { promise.set_value(std::move(result)); });
  return promise.get_future().get();
}

absl::StatusOr<Image> Find(KernelArchive& archive, uint8_t key) {
  return Wait<absl::StatusOr<Image>>(
      [&](KernelArchive::Found found) { archive.Find(FakeKey(key), found); });
}

absl::StatusOr<SourceSpec> FindSource(KernelArchive& archive, uint8_t key) {
  return Wait<absl::StatusOr<SourceSpec>>(
      [&](KernelArchive::SourceFound found) {
        archive.FindSource(FakeKey(key), found);
      });
}

absl::Status Remove(KernelArchive& archive, uint8_t key) {
  return Wait<absl::Status>([&](KernelArchive::Removed removed) {
    archive.Remove(FakeKey(key), removed);
  });
}

TEST(StoreArchiveTest, WhatIsKeptIsFoundUntilItIsRemoved) {
  const auto store = NewMemoryImageStore(1 << 20);
  const auto threads = NewPatientThreads({});
  const auto archive = NewStoreArchive(*store, *threads);
  EXPECT_TRUE(absl::IsNotFound(Find(*archive, 1).status()));
  auto spec = std::make_shared<CompileSpec>();
  spec->source = "words";
  archive->Keep(FakeKey(1), std::make_shared<std::string>("image"), spec);
  EXPECT_EQ(**Find(*archive, 1), "image");
  EXPECT_EQ((*FindSource(*archive, 1))->source, "words");
  EXPECT_TRUE(Remove(*archive, 1).ok());
  EXPECT_TRUE(absl::IsNotFound(Remove(*archive, 1)));
  EXPECT_TRUE(absl::IsNotFound(FindSource(*archive, 1).status()));
}

TEST(StoreArchiveTest, WhatIsNotInMemoryIsFoundByAThreadAndElseWithoutOne) {
  FaultyFolder folder;
  const auto store = NewDiskImageStore(folder.Open(), {}, absl::Now);
  const auto threads = NewPatientThreads({});
  const auto archive = NewStoreArchive(*store, *threads);
  const std::string image = FakeImage(FakeKey(1), "k", FakeHostMachine());
  archive->Keep(FakeKey(1), std::make_shared<std::string>(image), nullptr);
  std::thread::id finder;
  const auto find = [&] {
    finder = std::thread::id();
    return Wait<absl::StatusOr<Image>>([&](KernelArchive::Found found) {
      archive->Find(FakeKey(1), [&, found](absl::StatusOr<Image> result) {
        finder = std::this_thread::get_id();
        found(std::move(result));
      });
    });
  };
  EXPECT_EQ(**find(), image);
  EXPECT_NE(finder, std::this_thread::get_id());
  folder.cached = true;
  const absl::Time used = *folder.Modified(FakeKey(1).ToHex());
  EXPECT_EQ(**find(), image);
  EXPECT_EQ(finder, std::this_thread::get_id());
  // Some time it counts as a use.
  while (*folder.Modified(FakeKey(1).ToHex()) == used) {
  }
}

TEST(StoreArchiveTest, AStoppedArchiveIsUnavailable) {
  FaultyFolder folder;
  const auto store = NewDiskImageStore(folder.Open(), {}, absl::Now);
  const auto threads = NewPatientThreads({});
  const auto archive = NewStoreArchive(*store, *threads);
  threads->Stop();
  EXPECT_TRUE(absl::IsUnavailable(Find(*archive, 1).status()));
  EXPECT_TRUE(absl::IsUnavailable(FindSource(*archive, 1).status()));
  EXPECT_TRUE(absl::IsUnavailable(Remove(*archive, 1)));
}

TEST(EmptyArchiveTest, NothingIsKept) {
  const auto archive = NewEmptyArchive();
  archive->Keep(FakeKey(1), std::make_shared<std::string>("image"), nullptr);
  EXPECT_TRUE(absl::IsNotFound(Find(*archive, 1).status()));
  EXPECT_TRUE(absl::IsNotFound(FindSource(*archive, 1).status()));
  EXPECT_TRUE(absl::IsNotFound(Remove(*archive, 1)));
}

}  // namespace
}  // namespace quern
