// Tests of the kept sources.
#include "server/core/source_store.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

std::shared_ptr<const CompileSpec> SpecOf(size_t size_bytes) {
  auto spec = std::make_shared<CompileSpec>();
  spec->source.assign(size_bytes, 'x');
  return spec;
}

// What an entry costs: its source and an overhead.
constexpr uint64_t kCost = 1000 + 4096;

TEST(SourceStoreTest, WhatWasPutIsKept) {
  const auto store = NewSourceStore(kCost);
  store->Put(FakeKey(1), SpecOf(1000));
  EXPECT_EQ(store->Get(FakeKey(1))->source.size(), 1000u);
  EXPECT_EQ(store->Get(FakeKey(2)), nullptr);
}

TEST(SourceStoreTest, TheFirstIsForgottenWhenTheStoreIsFull) {
  const auto store = NewSourceStore(2 * kCost);
  for (uint8_t key = 1; key <= 2; ++key) store->Put(FakeKey(key), SpecOf(1000));
  EXPECT_NE(store->Get(FakeKey(1)), nullptr);
  store->Put(FakeKey(3), SpecOf(1000));
  EXPECT_EQ(store->Get(FakeKey(1)), nullptr);
  EXPECT_NE(store->Get(FakeKey(2)), nullptr);
}

TEST(SourceStoreTest, ASourceLargerThanTheStoreForgetsNothing) {
  const auto store = NewSourceStore(kCost);
  store->Put(FakeKey(1), SpecOf(1000));
  store->Put(FakeKey(2), SpecOf(1001));
  EXPECT_NE(store->Get(FakeKey(1)), nullptr);
  EXPECT_EQ(store->Get(FakeKey(2)), nullptr);
}

}  // namespace
}  // namespace quern
