// Commands one by one, and the reasons of an executor's end.
#include "server/executor/executor_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "proto/wire/ring_layout.h"

namespace quern {
namespace {

using testing::ElementsAre;

constexpr absl::Duration kTimeout = absl::Seconds(10);

// What the test sees and decides of a process that does not exist.
struct Script {
  std::vector<uint32_t> sent;
  std::deque<absl::StatusOr<std::optional<ExecutorAnswer>>> answers;
  int kills = 0;
  std::optional<Outcome> outcome;
};

class ScriptedProcess final : public ExecutorProcess {
 public:
  explicit ScriptedProcess(Script& script) : script_(script) {}

  int control_fd() const override { return -1; }
  int process_fd() const override { return -1; }
  absl::Status Send(const ExecutorCommand& command, int) override {
    script_.sent.push_back(command.id);
    return absl::OkStatus();
  }
  absl::StatusOr<std::optional<ExecutorAnswer>> Receive() override {
    if (script_.answers.empty()) return std::optional<ExecutorAnswer>();
    auto answer = script_.answers.front();
    script_.answers.pop_front();
    return answer;
  }
  void Kill() override { ++script_.kills; }
  std::optional<Outcome> Reap() override { return script_.outcome; }

 private:
  Script& script_;
};

class ExecutorLinkTest : public testing::Test {
 protected:
  void Send(uint32_t id) {
    link_.Send(
        {.id = id}, -1,
        [this, id](const absl::Status& status) {
          done_.emplace_back(id, status.code());
        },
        now_);
  }

  void Answer(absl::StatusCode code = absl::StatusCode::kOk) {
    script_.answers.push_back(std::optional<ExecutorAnswer>(
        ExecutorAnswer{.status = static_cast<uint32_t>(code)}));
    link_.Receive(now_);
  }

  Script script_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
  ExecutorLink link_{std::make_unique<ScriptedProcess>(script_), now_,
                     kTimeout};
  std::vector<std::pair<uint32_t, absl::StatusCode>> done_;
};

TEST_F(ExecutorLinkTest, ACommandIsSentWhenThatBeforeItIsAnswered) {
  Send(1);
  Send(2);
  EXPECT_TRUE(script_.sent.empty());  // The setup is not answered yet.
  Answer();
  EXPECT_THAT(script_.sent, ElementsAre(1));
  EXPECT_TRUE(done_.empty());
  Answer(absl::StatusCode::kDataLoss);
  EXPECT_THAT(script_.sent, ElementsAre(1, 2));
  Answer();
  EXPECT_THAT(done_, ElementsAre(std::pair(1u, absl::StatusCode::kDataLoss),
                                 std::pair(2u, absl::StatusCode::kOk)));
}

TEST_F(ExecutorLinkTest, AnAnswerThatTakesTooLongEndsIt) {
  Answer();
  now_ += absl::Hours(1);
  link_.Tick(now_);
  EXPECT_EQ(script_.kills, 0);  // Nothing is unanswered.
  Send(1);
  link_.Tick(now_ + kTimeout - absl::Nanoseconds(1));
  EXPECT_EQ(script_.kills, 0);
  link_.Tick(now_ + kTimeout);
  EXPECT_EQ(script_.kills, 1);
  EXPECT_EQ(link_.Ended(), std::nullopt);
  script_.outcome = Outcome::kKilled;
  EXPECT_EQ(link_.Ended(), QUERN_RING_UNRESPONSIVE);
}

TEST_F(ExecutorLinkTest, AnAnswerToNothingEndsIt) {
  Answer();
  Answer();
  EXPECT_EQ(script_.kills, 1);
  script_.outcome = Outcome::kKilled;
  EXPECT_EQ(link_.Ended(), QUERN_RING_UNRESPONSIVE);
}

TEST_F(ExecutorLinkTest, AClosedSocketEndsItAndItsOutcomeTellsWhy) {
  script_.answers.push_back(absl::OutOfRangeError("closed"));
  link_.Receive(now_);
  EXPECT_EQ(script_.kills, 1);
  script_.outcome = Outcome::kSetupFailed;
  EXPECT_EQ(link_.Ended(), QUERN_RING_NOT_CONFINED);
}

TEST_F(ExecutorLinkTest, TheFirstReasonToKillItCounts) {
  link_.Kill(QUERN_RING_TIMED_OUT);
  link_.Kill(QUERN_RING_UNRESPONSIVE);
  script_.outcome = Outcome::kKilled;
  EXPECT_EQ(link_.Ended(), QUERN_RING_TIMED_OUT);
}

TEST(RingStateTest, EveryOutcomeIsAStateThatIsNotRunning) {
  const std::pair<Outcome, uint32_t> kStates[] = {
      {Outcome::kExited, QUERN_RING_CRASHED},
      {Outcome::kDeniedSyscall, QUERN_RING_FORBIDDEN_CALL},
      {Outcome::kOutOfMemory, QUERN_RING_OUT_OF_MEMORY},
      {Outcome::kStackOverflow, QUERN_RING_CRASHED},
      {Outcome::kTimedOut, QUERN_RING_TIMED_OUT},
      {Outcome::kKilled, QUERN_RING_KILLED},
      {Outcome::kSetupFailed, QUERN_RING_NOT_CONFINED},
      {Outcome::kCrashed, QUERN_RING_CRASHED}};
  for (const auto& [outcome, state] : kStates) {
    EXPECT_EQ(RingStateOf(outcome), state) << OutcomeText(outcome);
  }
}

}  // namespace
}  // namespace quern
