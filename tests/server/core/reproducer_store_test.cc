// Tests of the store of reproducers.
#include "server/core/reproducer_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/fakes/fault_file_ops.h"

namespace quern {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

KernelKey Key(uint8_t number) {
  KernelKey key{};
  key.bytes[0] = number;
  return key;
}

CompileSpec Spec(const std::string& source) {
  CompileSpec spec;
  spec.source = source;
  spec.entry = "add";
  spec.target = {.triple = "x86_64-unknown-linux-gnu", .cpu = "znver4"};
  return spec;
}

const absl::Status kCrash = absl::InternalError("the compiler crashed");

class ReproducerStoreTest : public testing::Test {
 protected:
  std::unique_ptr<ReproducerStore> Store(const ReproducerLimits& limits) {
    return NewReproducerStore(limits, folder_.Open());
  }

  FaultyFolder folder_;
};

TEST_F(ReproducerStoreTest, AFileHoldsTheSourceAndWhatItWasCompiledFor) {
  EXPECT_TRUE(Store({})->Save(Key(1), Spec("module {}\n"), kCrash));
  ASSERT_THAT(folder_.Contents(), SizeIs(1));
  const auto [name, text] = *folder_.Contents().begin();
  EXPECT_EQ(name, Key(1).ToHex() + ".ttir");
  EXPECT_THAT(text, HasSubstr("// status: INTERNAL: the compiler crashed\n"));
  EXPECT_THAT(text, HasSubstr("// target: x86_64-unknown-linux-gnu:znver4\n"));
  EXPECT_THAT(text, HasSubstr("// entry: add\n"));
  EXPECT_TRUE(text.ends_with("\nmodule {}\n"));
}

TEST_F(ReproducerStoreTest, ANameThatBreaksTheLineDoesNotEndTheComment) {
  CompileSpec spec = Spec("module {}");
  spec.entry = "a\rb\x1b[2J";
  EXPECT_TRUE(Store({})->Save(Key(1), spec, kCrash));
  EXPECT_THAT(folder_.Contents().begin()->second,
              HasSubstr("// entry: a?b?[2J\n"));
}

TEST_F(ReproducerStoreTest, TheSameSourceIsSavedOnce) {
  const auto store = Store({});
  EXPECT_TRUE(store->Save(Key(1), Spec("a"), kCrash));
  EXPECT_FALSE(store->Save(Key(1), Spec("a"), kCrash));
  EXPECT_THAT(folder_.Contents(), SizeIs(1));
}

TEST_F(ReproducerStoreTest, TheNumberOfFilesIsBoundedAndOthersAreLetBe) {
  folder_.Set("notes.txt", "mine");
  const auto store = Store({.files_max = 3});
  for (uint8_t i = 1; i <= 5; ++i) {
    EXPECT_TRUE(store->Save(Key(i), Spec("a"), kCrash));
  }
  EXPECT_THAT(folder_.Contents(), SizeIs(4));
  EXPECT_TRUE(folder_.Contents().contains("notes.txt"));
  EXPECT_TRUE(folder_.Contents().contains(Key(5).ToHex() + ".ttir"));
}

TEST_F(ReproducerStoreTest, AFileAtTheLimitIsSavedAndALargerOneIsNot) {
  ASSERT_TRUE(Store({})->Save(Key(1), Spec("12345"), kCrash));
  const uint64_t size = folder_.Contents().begin()->second.size();
  const auto store = Store({.file_size_bytes_max = size});
  EXPECT_TRUE(store->Save(Key(2), Spec("12345"), kCrash));
  EXPECT_FALSE(store->Save(Key(3), Spec("123456"), kCrash));
}

TEST_F(ReproducerStoreTest, AFullOrReadOnlyDiskLeavesNothingBehind) {
  const auto store = Store({});
  folder_.SetCapacity(10);
  EXPECT_FALSE(store->Save(Key(1), Spec("a"), kCrash));
  EXPECT_THAT(folder_.Contents(), SizeIs(0));
  folder_.SetCapacity(std::nullopt);
  folder_.SetReadOnly(true);
  EXPECT_FALSE(store->Save(Key(1), Spec("a"), kCrash));
  folder_.SetReadOnly(false);
  EXPECT_TRUE(store->Save(Key(1), Spec("a"), kCrash));
}

}  // namespace
}  // namespace quern
