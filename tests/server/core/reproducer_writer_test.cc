// Tests of saving reproducers aside.
#include "server/core/reproducer_writer.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fault_file_ops.h"

namespace quern {
namespace {

KernelKey Key(uint8_t number) {
  KernelKey key{};
  key.bytes[0] = number;
  return key;
}

class ReproducerWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(
        events_->Watch([this](const Event* event) { seen_.push_back(*event); })
            .ok());
  }

  void Offer(uint8_t number) {
    writer_->Offer(Key(number), {.source = "crash"},
                   absl::InternalError("the compiler crashed"));
  }

  FakeClock clock_;
  FaultyFolder folder_;
  std::vector<Event> seen_;
  std::unique_ptr<EventFeed> events_ = NewEventFeed(1, clock_);
  std::unique_ptr<ReproducerWriter> writer_ =
      NewReproducerWriter(NewReproducerStore({}, folder_.Open()), *events_);
};

TEST_F(ReproducerWriterTest, WhatWasOfferedIsSavedAndTold) {
  Offer(1);
  writer_.reset();
  EXPECT_EQ(folder_.Contents().size(), 1u);
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].kind, EventKind::kReproducerSaved);
  EXPECT_EQ(seen_[0].key, Key(1));
}

TEST_F(ReproducerWriterTest, WhatCannotBeSavedIsNotTold) {
  folder_.SetReadOnly(true);
  Offer(1);
  writer_.reset();
  EXPECT_TRUE(seen_.empty());
}

TEST_F(ReproducerWriterTest, ASlowDiskHoldsNobodyUpAndTakesFewOfMany) {
  folder_.Hold();
  for (uint8_t i = 1; i <= 100; ++i) Offer(i);
  folder_.Release();
  writer_.reset();
  EXPECT_GE(folder_.Contents().size(), 1u);
  EXPECT_LE(folder_.Contents().size(), 2u);
}

}  // namespace
}  // namespace quern
