// Served launches as the daemon sees them: limits, and executors that end, with
// a process that the test scripts.
#include "server/attach/served_session.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>

#include "tests/fakes/fake_clock.h"

namespace quern {
namespace {

// The executor: it answers at once, unless it is told not to.
struct Script {
  int started = 0;
  int kills = 0;
  bool answers = true;
  absl::StatusCode answer = absl::StatusCode::kOk;
  int unanswered = 0;
  std::vector<ExecutorCommand> commands;
  std::optional<Outcome> outcome;
};

class ScriptedProcess final : public ExecutorProcess {
 public:
  explicit ScriptedProcess(Script& script) : script_(script) {
    script_.unanswered = 1;  // The setup.
  }
  int control_fd() const override { return -1; }
  int process_fd() const override { return -1; }
  absl::Status Send(const ExecutorCommand& command, int) override {
    script_.commands.push_back(command);
    ++script_.unanswered;
    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<ExecutorAnswer>> Receive() override {
    if (!script_.answers || script_.unanswered == 0) {
      return std::optional<ExecutorAnswer>();
    }
    --script_.unanswered;
    return std::optional<ExecutorAnswer>(
        ExecutorAnswer{.status = static_cast<uint32_t>(script_.answer)});
  }
  void Kill() override { ++script_.kills; }
  std::optional<Outcome> Reap() override { return script_.outcome; }

 private:
  Script& script_;
};

class ScriptedStarter final : public ExecutorStarter {
 public:
  explicit ScriptedStarter(Script& script) : script_(script) {}
  absl::StatusOr<std::unique_ptr<ExecutorProcess>> Start(
      const ExecutorSetup&) override {
    ++script_.started;
    script_.outcome.reset();
    return std::make_unique<ScriptedProcess>(script_);
  }

 private:
  Script& script_;
};

class ServedSessionTest : public testing::Test {
 protected:
  ServedSessionTest()
      : session_(
            parts_, [](ExecutorProcess&) {},
            [this](absl::StatusOr<ServedReply> reply) {
              ++replies_;
              reply_ = std::move(reply);
            }) {}

  // Lets the executor answer, and returns the answer to the client.
  ServedReply Ok() {
    session_.OnControl();
    EXPECT_TRUE(reply_.ok()) << reply_.status();
    EXPECT_FALSE(session_.busy());
    return reply_.ok() ? *std::move(reply_) : ServedReply();
  }

  // A ring, and its memory as the executor has it.
  SharedRegion OpenRing() {
    session_.OpenRing(4);
    const ServedReply reply = Ok();
    return *SharedRegion::Map(reply.fd.get(), reply.size_bytes,
                              Access::kReadWrite);
  }

  static std::atomic_ref<uint64_t> Progress(SharedRegion& ring) {
    return std::atomic_ref(
        reinterpret_cast<quern_ring_header*>(ring.data())->progress);
  }
  static uint32_t State(SharedRegion& ring) {
    return std::atomic_ref(
               reinterpret_cast<quern_ring_header*>(ring.data())->state)
        .load();
  }

  void ExecutorEnds(Outcome outcome) {
    script_.outcome = outcome;
    session_.OnProcess();
  }

  Script script_;
  ScriptedStarter starter_{script_};
  FakeClock clock_;
  ServedCounters counters_;
  std::unique_ptr<CodeSlabs> slabs_ = NewCodeSlabs({});
  ServedParts parts_ = {
      .slabs = *slabs_,
      .find_kernel = [](const KernelKey&) { return std::nullopt; },
      .starter = starter_,
      .setup = {},
      .clock = clock_,
      .limits = {.launch_timeout = absl::Seconds(8)},
      .counters = counters_};
  int replies_ = 0;
  absl::StatusOr<ServedReply> reply_;
  ServedSession session_;
};

TEST_F(ServedSessionTest, TheFirstRingStartsAnExecutorAndTheSecondDoesNot) {
  session_.AllocateBuffer(5000);
  const ServedReply buffer = Ok();
  EXPECT_EQ(script_.started, 0);
  OpenRing();
  EXPECT_EQ(script_.started, 1);
  ASSERT_EQ(script_.commands.size(), 2u);
  EXPECT_EQ(script_.commands[0].kind, ExecutorCommandKind::kMapBuffer);
  EXPECT_EQ(script_.commands[0].id, buffer.value);
  EXPECT_EQ(script_.commands[1].kind, ExecutorCommandKind::kOpenRing);
  OpenRing();
  EXPECT_EQ(script_.started, 1);
  EXPECT_EQ(counters_.running.load(), 1u);
}

TEST_F(ServedSessionTest, ARequestIsBusyUntilTheExecutorHasAnswered) {
  OpenRing();
  script_.answers = false;
  const int before = replies_;
  session_.AllocateBuffer(1);
  EXPECT_TRUE(session_.busy());
  session_.OnControl();
  EXPECT_EQ(replies_, before);
  script_.answers = true;
  EXPECT_EQ(Ok().type, QUERN_ATTACH_BUFFER);
}

TEST_F(ServedSessionTest, WhatTheExecutorCannotMapIsNotKept) {
  OpenRing();
  script_.answer = absl::StatusCode::kResourceExhausted;
  session_.AllocateBuffer(uint64_t{4} << 30);
  session_.OnControl();
  EXPECT_TRUE(absl::IsResourceExhausted(reply_.status()));
  script_.answer = absl::StatusCode::kOk;
  session_.AllocateBuffer(uint64_t{4} << 30);  // All of it is free again.
  Ok();
}

TEST_F(ServedSessionTest, BytesOfBuffersAreCountedInPages) {
  parts_.limits.buffers_size_bytes_max = 8192;
  session_.AllocateBuffer(1);
  const uint64_t first = Ok().value;
  session_.AllocateBuffer(4097);
  EXPECT_TRUE(absl::IsResourceExhausted(reply_.status()));
  session_.AllocateBuffer(4096);
  Ok();
  session_.AllocateBuffer(1);
  EXPECT_TRUE(absl::IsResourceExhausted(reply_.status()));
  session_.FreeBuffer(first);
  EXPECT_EQ(Ok().type, QUERN_ATTACH_DONE);
  session_.AllocateBuffer(1);
  EXPECT_NE(Ok().value, first);
  session_.AllocateBuffer(UINT64_MAX);
  EXPECT_TRUE(absl::IsResourceExhausted(reply_.status()));
}

TEST_F(ServedSessionTest, WhatIsNotThereIsNotFound) {
  for (const uint64_t id : {uint64_t{0}, uint64_t{7}, uint64_t{1} << 32}) {
    session_.FreeBuffer(id);
    EXPECT_TRUE(absl::IsNotFound(reply_.status()));
    session_.UnloadKernel(id);
    EXPECT_TRUE(absl::IsNotFound(reply_.status()));
    session_.CloseRing(id);
    EXPECT_TRUE(absl::IsNotFound(reply_.status()));
  }
  session_.LoadKernel(KernelKey{});
  EXPECT_TRUE(absl::IsNotFound(reply_.status()));
}

TEST_F(ServedSessionTest, TheEndOfTheExecutorIsWrittenIntoEachRing) {
  SharedRegion first = OpenRing();
  SharedRegion second = OpenRing();
  EXPECT_EQ(State(first), QUERN_RING_RUNNING);
  ExecutorEnds(Outcome::kOutOfMemory);
  EXPECT_EQ(State(first), QUERN_RING_OUT_OF_MEMORY);
  EXPECT_EQ(State(second), QUERN_RING_OUT_OF_MEMORY);
  EXPECT_EQ(counters_.ended[QUERN_RING_OUT_OF_MEMORY].load(), 1u);
  EXPECT_EQ(counters_.running.load(), 0u);
  SharedRegion third = OpenRing();
  EXPECT_EQ(script_.started, 2);
  EXPECT_EQ(State(third), QUERN_RING_RUNNING);
}

TEST_F(ServedSessionTest, ARingWhoseExecutorEndsAtOnceIsRefused) {
  script_.answers = false;
  session_.OpenRing(4);
  EXPECT_TRUE(session_.busy());
  ExecutorEnds(Outcome::kSetupFailed);
  EXPECT_TRUE(absl::IsFailedPrecondition(reply_.status()));
  EXPECT_FALSE(session_.busy());
  session_.OpenRing(4);
  ExecutorEnds(Outcome::kCrashed);
  EXPECT_TRUE(absl::IsAborted(reply_.status()));
}

TEST_F(ServedSessionTest, ABufferOutlivesTheExecutorThatWasToMapIt) {
  OpenRing();
  script_.answers = false;
  session_.AllocateBuffer(4096);
  ExecutorEnds(Outcome::kCrashed);
  const uint64_t id = Ok().value;
  script_.answers = true;
  script_.commands.clear();
  OpenRing();
  EXPECT_EQ(script_.commands[0].id, id);
}

TEST_F(ServedSessionTest, ALaunchThatRunsTooLongEndsTheExecutor) {
  SharedRegion ring = OpenRing();
  ASSERT_TRUE(session_.TickInterval().has_value());
  Progress(ring).store(5);
  session_.Tick();
  clock_.Advance(absl::Seconds(8) - absl::Nanoseconds(1));
  session_.Tick();
  EXPECT_EQ(script_.kills, 0);
  clock_.Advance(absl::Nanoseconds(1));
  session_.Tick();
  EXPECT_EQ(script_.kills, 1);
  ExecutorEnds(Outcome::kKilled);
  EXPECT_EQ(State(ring), QUERN_RING_TIMED_OUT);
}

TEST_F(ServedSessionTest, LaunchesThatGoOnAreNotEnded) {
  SharedRegion ring = OpenRing();
  for (uint64_t launch = 0; launch < 5; ++launch) {
    Progress(ring).store(2 * launch + 1);
    session_.Tick();
    clock_.Advance(absl::Seconds(7));
    session_.Tick();
  }
  Progress(ring).store(10);  // Idle.
  session_.Tick();
  clock_.Advance(absl::Hours(1));
  session_.Tick();
  Progress(ring).store(11);
  session_.Tick();
  EXPECT_EQ(script_.kills, 0);
}

TEST_F(ServedSessionTest, ALaunchOfAClosedRingThatRunsTooLongEndsTheExecutor) {
  SharedRegion closed = OpenRing();
  SharedRegion other = OpenRing();
  Progress(closed).store(1);
  session_.Tick();
  clock_.Advance(absl::Seconds(4));
  session_.CloseRing(1);
  Ok();
  session_.Tick();
  clock_.Advance(absl::Seconds(4) - absl::Nanoseconds(1));
  session_.Tick();
  EXPECT_EQ(script_.kills, 0);
  clock_.Advance(absl::Nanoseconds(1));
  session_.Tick();
  EXPECT_EQ(script_.kills, 1);
  ExecutorEnds(Outcome::kKilled);
  EXPECT_EQ(State(other), QUERN_RING_TIMED_OUT);
}

TEST_F(ServedSessionTest, AClosedRingIsWatchedUntilItsLaunchHasEnded) {
  SharedRegion ring = OpenRing();
  Progress(ring).store(1);
  session_.CloseRing(1);
  Ok();
  session_.Tick();
  Progress(ring).store(2);
  session_.Tick();
  session_.Tick();
  Progress(ring).store(3);  // Nobody looks any more.
  session_.Tick();
  clock_.Advance(absl::Seconds(8));
  session_.Tick();
  EXPECT_EQ(script_.kills, 0);
}

TEST_F(ServedSessionTest, AClosedRingIsWatchedWhileTheExecutorIsToldOfIt) {
  SharedRegion ring = OpenRing();
  script_.answers = false;
  session_.CloseRing(1);
  session_.Tick();
  session_.Tick();
  Progress(ring).store(1);  // It begins the next before it has heard.
  script_.answers = true;
  Ok();
  session_.Tick();
  clock_.Advance(absl::Seconds(8));
  session_.Tick();
  EXPECT_EQ(script_.kills, 1);
}

TEST_F(ServedSessionTest, ClosedRingsWhoseLaunchesRunAreNoMoreThanThreads) {
  for (uint64_t id = 1; id <= 4; ++id) {
    SharedRegion ring = OpenRing();
    Progress(ring).store(1);
    session_.CloseRing(id);
    Ok();
  }
  session_.OpenRing(4);
  EXPECT_TRUE(absl::IsResourceExhausted(reply_.status()));
}

TEST_F(ServedSessionTest, IdleRingsMayBeClosedAndOpenedAgainAndAgain) {
  for (uint64_t id = 1; id <= 20; ++id) {
    OpenRing();
    session_.CloseRing(id);
    Ok();
  }
}

TEST_F(ServedSessionTest, AnExecutorThatDoesNotAnswerIsEnded) {
  SharedRegion ring = OpenRing();
  script_.answers = false;
  session_.AllocateBuffer(1);
  clock_.Advance(absl::Seconds(10));
  session_.Tick();
  EXPECT_EQ(script_.kills, 1);
  ExecutorEnds(Outcome::kKilled);
  EXPECT_EQ(State(ring), QUERN_RING_UNRESPONSIVE);
  EXPECT_FALSE(session_.busy());
}

TEST_F(ServedSessionTest, ClosedRingsMakeRoom) {
  std::vector<SharedRegion> rings;
  for (int i = 0; i < 4; ++i) rings.push_back(OpenRing());
  session_.OpenRing(4);
  EXPECT_TRUE(absl::IsResourceExhausted(reply_.status()));
  session_.CloseRing(1);
  Ok();
  EXPECT_EQ(State(rings[0]), QUERN_RING_CLOSED);
  OpenRing();
}

TEST_F(ServedSessionTest, TheSessionsEndKillsItsExecutor) {
  SharedRegion ring = OpenRing();
  const std::unique_ptr<ExecutorProcess> process = session_.Release();
  ASSERT_NE(process, nullptr);
  EXPECT_EQ(script_.kills, 1);
  EXPECT_EQ(State(ring), QUERN_RING_CLOSED);
  EXPECT_EQ(session_.Release(), nullptr);
}

}  // namespace
}  // namespace quern
