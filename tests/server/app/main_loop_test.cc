// Tests of what ends the daemon.
#include "server/app/main_loop.h"

#include <gtest/gtest.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <mutex>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/fakes/fake_clock.h"

namespace quern {
namespace {

class FakeDaemon final : public Daemon {
 public:
  void Drain(absl::Duration) override {}
  uint64_t activity() override {
    ++looks;
    return calls;
  }
  bool attached() override { return is_attached; }
  bool Responds() override { return responds; }
  std::string Summary() override {
    return absl::StrCat(calls.load(), " calls");
  }

  std::atomic<int> looks{0};  // At its activity: one in each round of a loop.
  std::atomic<uint64_t> calls{0};
  std::atomic<bool> is_attached{false};
  std::atomic<bool> responds{true};
};

class FakeManager final : public ServiceManager {
 public:
  absl::Duration report_interval() override { return interval; }
  void Ready() override {}
  void Alive() override { ++signs_of_life; }
  void Status(const std::string& line) override {
    const std::lock_guard lock(mutex_);
    status_ = line;
  }
  void Stopping(absl::Duration) override {}

  std::string status() {
    const std::lock_guard lock(mutex_);
    return status_;
  }

  std::atomic<int> signs_of_life{0};
  absl::Duration interval = absl::InfiniteDuration();

 private:
  std::mutex mutex_;
  std::string status_;
};

class MainLoopTest : public testing::Test {
 protected:
  MainLoopTest() : signals_(*WatchSignals()) {}

  std::future<std::string> Wait() {
    return std::async(std::launch::async, [this] {
      return WaitForEnd(
          signals_.get(), daemon_, absl::Milliseconds(40),
          [this] { return reachable_.load(); }, clock_, manager_);
    });
  }

  // Waits until the loop has looked at all that is so now. Of a round that has
  // begun, one look may be to come.
  void LookAround() {
    const int enough = daemon_.looks + 3;
    while (daemon_.looks < enough) absl::SleepFor(absl::Milliseconds(1));
  }

  static bool Ended(const std::future<std::string>& end) {
    return end.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }

  std::atomic<bool> reachable_{true};
  FakeDaemon daemon_;
  FakeClock clock_;
  FakeManager manager_;
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

TEST_F(MainLoopTest, OneThatNobodyCanReachEnds) {
  daemon_.is_attached = true;
  std::future<std::string> end = Wait();
  LookAround();
  EXPECT_FALSE(Ended(end));
  reachable_ = false;
  EXPECT_EQ(end.get(), "the removal of its sockets");
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

TEST_F(MainLoopTest, ItReportsOnceAnInterval) {
  daemon_.is_attached = true;
  manager_.interval = absl::Milliseconds(5);
  std::future<std::string> end = Wait();
  LookAround();
  EXPECT_EQ(manager_.signs_of_life, 1);
  EXPECT_EQ(manager_.status(), "0 calls");
  daemon_.calls = 7;
  clock_.Advance(manager_.interval - absl::Nanoseconds(1));
  LookAround();
  EXPECT_EQ(manager_.signs_of_life, 1);
  clock_.Advance(absl::Nanoseconds(1));
  LookAround();
  EXPECT_EQ(manager_.signs_of_life, 2);
  EXPECT_EQ(manager_.status(), "7 calls");
  // A clock that is set back costs no report.
  clock_.Advance(-absl::Hours(1));
  LookAround();
  EXPECT_EQ(manager_.signs_of_life, 3);
  daemon_.is_attached = false;
  clock_.Advance(absl::Hours(2));
  EXPECT_EQ(end.get(), "idleness");
}

TEST_F(MainLoopTest, ADaemonThatDoesNotRespondIsNotAlive) {
  daemon_.is_attached = true;
  daemon_.responds = false;
  manager_.interval = absl::Milliseconds(5);
  std::future<std::string> end = Wait();
  LookAround();
  EXPECT_EQ(manager_.signs_of_life, 0);
  EXPECT_EQ(manager_.status(), "0 calls");
  daemon_.responds = true;
  clock_.Advance(manager_.interval);
  LookAround();
  EXPECT_EQ(manager_.signs_of_life, 1);
  daemon_.is_attached = false;
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(end.get(), "idleness");
}

}  // namespace
}  // namespace quern
