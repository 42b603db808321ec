// Tests of the refusal of deadly sources.
#include "server/core/crash_ledger.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

class CrashLedgerTest : public testing::Test {
 protected:
  void Crash(int times) {
    for (int i = 0; i < times; ++i) {
      ledger_->Record(FakeKey(1), absl::InternalError("it crashed"));
    }
  }

  FakeClock clock_;
  std::unique_ptr<CrashLedger> ledger_ =
      NewCrashLedger({.crashes_max = 3, .refusal = absl::Minutes(5)}, clock_);
};

TEST_F(CrashLedgerTest, TwoCrashesAreForgivenAndTheThirdIsNot) {
  Crash(2);
  EXPECT_TRUE(ledger_->Check(FakeKey(1)).ok());
  Crash(1);
  const absl::Status status = ledger_->Check(FakeKey(1));
  EXPECT_TRUE(absl::IsInternal(status));
  EXPECT_EQ(status.message(), "refused after 3 attempts, the last: it crashed");
}

TEST_F(CrashLedgerTest, OtherKeysAreNotRefused) {
  Crash(3);
  EXPECT_TRUE(ledger_->Check(FakeKey(2)).ok());
}

TEST_F(CrashLedgerTest, TheRefusalEndsWithItsTimeAndNotBefore) {
  Crash(3);
  clock_.Advance(absl::Minutes(5) - absl::Nanoseconds(1));
  EXPECT_FALSE(ledger_->Check(FakeKey(1)).ok());
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_TRUE(ledger_->Check(FakeKey(1)).ok());
  Crash(2);
  EXPECT_TRUE(ledger_->Check(FakeKey(1)).ok());
}

TEST_F(CrashLedgerTest, ASuccessClearsTheCrashes) {
  Crash(2);
  ledger_->Clear(FakeKey(1));
  Crash(2);
  EXPECT_TRUE(ledger_->Check(FakeKey(1)).ok());
}

TEST_F(CrashLedgerTest, PastItsBoundTheOldestKeyIsForgotten) {
  Crash(3);
  for (int i = 0; i < 4095; ++i) {
    clock_.Advance(absl::Nanoseconds(1));
    KernelKey key;
    key.bytes[0] = static_cast<uint8_t>(i);
    key.bytes[1] = static_cast<uint8_t>(i >> 8);
    ledger_->Record(key, absl::InternalError("crash"));
  }
  EXPECT_FALSE(ledger_->Check(FakeKey(1)).ok());
  ledger_->Record(FakeKey(0xff), absl::InternalError("crash"));
  EXPECT_TRUE(ledger_->Check(FakeKey(1)).ok());
}

}  // namespace
}  // namespace quern
