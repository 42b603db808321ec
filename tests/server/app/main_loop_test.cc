// Tests of what ends the daemon.
#include "server/app/main_loop.h"

#include <gtest/gtest.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <string>

#include "absl/time/clock.h"
#include "tests/fakes/fake_clock.h"

namespace quern {
namespace {

class FakeDaemon final : public Daemon {
 public:
  void Drain(absl::Duration) override {}
  uint64_t activity() override { return calls; }
  bool attached() override { return is_attached; }

  std::atomic<uint64_t> calls{0};
  std::atomic<bool> is_attached{false};
};

// Lets the loop look at the daemon a few times.
void LookAround() { absl::SleepFor(absl::Milliseconds(60)); }

class MainLoopTest : public testing::Test {
 protected:
  MainLoopTest() : signals_(*WatchSignals()) {}

  std::future<std::string> Wait() {
    return std::async(std::launch::async, [this] {
      return WaitForEnd(signals_.get(), daemon_, absl::Milliseconds(40),
                        clock_);
    });
  }

  static bool Ended(const std::future<std::string>& end) {
    return end.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  FakeDaemon daemon_;
  FakeClock clock_;
  const UniqueFd signals_;
};

TEST_F(MainLoopTest, ASignalEndsIt) {
  std::future<std::string> end = Wait();
  ::kill(::getpid(), SIGTERM);
  EXPECT_EQ(end.get(), "a signal");
  signalfd_siginfo info;
  EXPECT_GT(::read(signals_.get(), &info, sizeof(info)), 0);
}

TEST_F(MainLoopTest, IdlenessEndsItAtItsTimeAndNotBefore) {
  std::future<std::string> end = Wait();
  LookAround();
  clock_.Advance(absl::Milliseconds(40) - absl::Nanoseconds(1));
  LookAround();
  EXPECT_FALSE(Ended(end));
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(end.get(), "idleness");
}

TEST_F(MainLoopTest, ACallPutsTheEndOff) {
  std::future<std::string> end = Wait();
  LookAround();
  clock_.Advance(absl::Milliseconds(30));
  ++daemon_.calls;
  LookAround();
  clock_.Advance(absl::Milliseconds(30));
  LookAround();
  EXPECT_FALSE(Ended(end));
  clock_.Advance(absl::Milliseconds(10));
  EXPECT_EQ(end.get(), "idleness");
}

TEST_F(MainLoopTest, AnAttachedClientPutsTheEndOff) {
  daemon_.is_attached = true;
  std::future<std::string> end = Wait();
  LookAround();
  clock_.Advance(absl::Seconds(9));
  LookAround();
  EXPECT_FALSE(Ended(end));
  daemon_.is_attached = false;
  LookAround();
  clock_.Advance(absl::Milliseconds(40));
  EXPECT_EQ(end.get(), "idleness");
}

}  // namespace
}  // namespace quern
