// Tests of the pool over real processes: the worker with the fake compiler.
#include "server/workers/worker_pool.h"

#include <gtest/gtest.h>
#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "proto/wire/image.h"
#include "tests/fakes/fake_compiler.h"
#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

class QuietLogger final : public Logger {
 public:
  void Log(LogLevel, std::string_view) override {}
};

// The processes whose parent is `parent`.
std::vector<pid_t> ChildrenOf(pid_t parent) {
  std::vector<pid_t> children;
  const std::string number = std::to_string(parent);
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + number + "/task")) {
    std::ifstream file(task.path() / "children");
    for (pid_t child; file >> child;) children.push_back(child);
  }
  return children;
}

// The clock ticks of CPU time that `process` has used.
uint64_t CpuTicksOf(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string word;
  for (int i = 0; i < 13; ++i) file >> word;  // The name has no blank.
  uint64_t user = 0;
  uint64_t system = 0;
  file >> user >> system;
  return user + system;
}

// Of what `process` does: R, S, T, Z, ... (proc(5)); X if it is not there.
char StateOf(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string number;
  std::string name;
  char state = 'X';
  file >> number >> name >> state;  // The name has no blank.
  return state;
}

// Stops processes, and returns when none of them runs any more: one that
// sleeps in a call would end that first.
void StopAll(const std::vector<pid_t>& processes) {
  for (const pid_t process : processes) ::kill(process, SIGSTOP);
  for (const pid_t process : processes) {
    while (std::string("TZX").find(StateOf(process)) == std::string::npos) {
      std::this_thread::yield();
    }
  }
}

class WorkerPoolTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.setup.memory_bytes_max = 64 << 20;
    options_.compile_timeout = absl::Seconds(20);
    worker_ = std::filesystem::read_symlink("/proc/self/exe")
                  .parent_path()
                  .parent_path() /
              "bin/quern-fake-worker";
  }

  void Start() {
    starter_ = NewZygoteStarter(worker_);
    WorkerPoolEvents events{.on_ready =
                                [this](const CompilerIdentity& identity) {
                                  std::lock_guard lock(mutex_);
                                  identity_ = identity;
                                  return accept_;
                                },
                            .on_unavailable =
                                [this](const absl::Status& reason) {
                                  std::lock_guard lock(mutex_);
                                  unavailable_ = reason;
                                }};
    pool_ = *StartWorkerPool(options_, std::move(events), *starter_, *clock_,
                             logger_);
  }

  struct Running {
    uint64_t ticket = 0;
    std::future<CompileOutcome> outcome;
  };

  Running Begin(const std::string& source,
                absl::Time deadline = absl::InfiniteFuture(),
                CompileOutput output = CompileOutput::kImage) {
    auto spec = std::make_shared<CompileSpec>();
    spec->source = source;
    spec->target = FakeHostTarget();
    auto promise = std::make_shared<std::promise<CompileOutcome>>();
    Running running;
    running.outcome = promise->get_future();
    running.ticket = pool_->Start(
        {.spec = spec, .key = FakeKey(7), .output = output},
        std::make_shared<Deadline>(deadline),
        [promise](CompileOutcome outcome) { promise->set_value(outcome); });
    return running;
  }

  CompileOutcome Compile(const std::string& source) {
    return Begin(source).outcome.get();
  }

  ChildDeaths Deaths() { return pool_->GetStats().children_dead; }

  // Waits until a compile runs, and returns the process of the zygote.
  pid_t ZygoteOnceBusy() {
    EXPECT_TRUE(Compile("ok first").status.ok());
    const std::vector<pid_t> children = ChildrenOf(::getpid());
    EXPECT_EQ(children.size(), 1u);
    return children.front();
  }

  std::string worker_;
  WorkerPoolOptions options_;
  QuietLogger logger_;
  std::unique_ptr<Clock> clock_ = NewSystemClock();
  std::mutex mutex_;
  absl::Status accept_;
  std::optional<CompilerIdentity> identity_;
  std::optional<absl::Status> unavailable_;
  std::unique_ptr<ZygoteStarter> starter_;
  std::unique_ptr<CompilerPool> pool_;
};

TEST_F(WorkerPoolTest, AJobGivesAnImageOfItsKey) {
  Start();
  const CompileOutcome outcome = Compile("ok kernel");
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(KeyOfImage(*VerifyImage(outcome.bytes)), FakeKey(7));
  EXPECT_EQ(outcome.timings.parse, absl::Microseconds(1));
  EXPECT_EQ(outcome.timings.ir_instructions, 2u);
  std::lock_guard lock(mutex_);
  EXPECT_EQ(identity_->build_id, FakeBuildId());
  EXPECT_EQ(identity_->host, FakeHostTarget());
}

TEST_F(WorkerPoolTest, AViewGivesItsText) {
  Start();
  EXPECT_EQ(Begin("ok kernel", absl::InfiniteFuture(), CompileOutput::kPlan)
                .outcome.get()
                .bytes,
            "text of kernel");
}

TEST_F(WorkerPoolTest, ALargeSourceArrivesWhole) {
  Start();
  EXPECT_TRUE(Compile("ok kernel " + std::string(16 << 20, 'x')).status.ok());
}

TEST_F(WorkerPoolTest, EachJobHasAProcessOfItsOwn) {
  Start();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Compile("ok kernel").status.ok());
  EXPECT_GE(pool_->GetStats().children_forked, 5u);
}

TEST_F(WorkerPoolTest, WhatTheCompilerSaysIsPassedOn) {
  Start();
  const CompileOutcome invalid = Compile("invalid");
  EXPECT_EQ(invalid.status,
            absl::InvalidArgumentError("1:1: expected an operation"));
  EXPECT_FALSE(invalid.source_is_deadly);
  EXPECT_TRUE(absl::IsUnimplemented(Compile("unimplemented").status));
}

TEST_F(WorkerPoolTest, ACrashFailsItsJobAlone) {
  Start();
  for (const char* source : {"crash", "abort"}) {
    const CompileOutcome outcome = Compile(source);
    EXPECT_TRUE(absl::IsInternal(outcome.status)) << source;
    EXPECT_TRUE(outcome.source_is_deadly);
  }
  EXPECT_TRUE(Compile("ok kernel").status.ok());
  EXPECT_EQ(Deaths().crashed, 2u);
}

TEST_F(WorkerPoolTest, EveryKindOfDeathIsTold) {
  Start();
  EXPECT_TRUE(absl::IsResourceExhausted(Compile("allocate").status));
  EXPECT_TRUE(absl::IsInternal(Compile("recurse").status));
  EXPECT_TRUE(absl::IsInternal(Compile("syscall").status));
  const ChildDeaths deaths = Deaths();
  EXPECT_EQ(deaths.out_of_memory, 1u);
  EXPECT_EQ(deaths.stack_overflow, 1u);
  EXPECT_EQ(deaths.denied_syscall, 1u);
  EXPECT_EQ(deaths.crashed, 0u);
}

TEST_F(WorkerPoolTest, ACompileThatNeverEndsIsEnded) {
  // Also the time in which a child must become ready.
  options_.compile_timeout = absl::Seconds(2);
  Start();
  const CompileOutcome outcome = Compile("spin");
  EXPECT_TRUE(absl::IsDeadlineExceeded(outcome.status));
  EXPECT_TRUE(outcome.source_is_deadly);
  EXPECT_EQ(Deaths().timed_out, 1u);
}

TEST_F(WorkerPoolTest, ACallersDeadlineEndsACompileAndDoesNotBlameIt) {
  Start();
  const CompileOutcome outcome =
      Begin("spin", absl::Now() + absl::Milliseconds(500)).outcome.get();
  EXPECT_TRUE(absl::IsDeadlineExceeded(outcome.status));
  EXPECT_FALSE(outcome.source_is_deadly);
}

TEST_F(WorkerPoolTest, ACancelledJobEnds) {
  Start();
  Running running = Begin("spin");
  EXPECT_EQ(running.outcome.wait_for(std::chrono::milliseconds(200)),
            std::future_status::timeout);
  pool_->Cancel(running.ticket);
  EXPECT_TRUE(absl::IsCancelled(running.outcome.get().status));
}

TEST_F(WorkerPoolTest, AJobThatWaitsForAProcessCanBeCancelled) {
  Start();
  const pid_t zygote = ZygoteOnceBusy();
  StopAll({zygote});  // It forks no more children than there are.
  std::vector<Running> busy;
  for (int i = 0; i < 8; ++i) busy.push_back(Begin("ok first"));
  Running last = Begin("ok last");
  pool_->Cancel(last.ticket);
  EXPECT_TRUE(absl::IsCancelled(last.outcome.get().status));
  ::kill(zygote, SIGCONT);
  for (Running& each : busy) EXPECT_TRUE(each.outcome.get().status.ok());
}

TEST_F(WorkerPoolTest, AResultLongerThanTheLimitIsRefused) {
  options_.result_size_bytes_max = 100000;
  Start();
  const CompileOutcome outcome = Compile("size 200000");
  EXPECT_TRUE(absl::IsInternal(outcome.status));
  EXPECT_EQ(Deaths().protocol_error, 1u);
  EXPECT_TRUE(Compile("size 90000").status.ok());
}

TEST_F(WorkerPoolTest, AKilledChildFailsItsJobAlone) {
  Start();
  const pid_t zygote = ZygoteOnceBusy();
  Running running = Begin("spin");
  // Becoming ready takes a few ticks at most.
  pid_t busy = 0;
  while (CpuTicksOf(busy) < 30) {
    const std::vector<pid_t> children = ChildrenOf(zygote);
    busy = *std::max_element(
        children.begin(), children.end(),
        [](pid_t a, pid_t b) { return CpuTicksOf(a) < CpuTicksOf(b); });
  }
  ::kill(busy, SIGKILL);
  const CompileOutcome outcome = running.outcome.get();
  EXPECT_TRUE(absl::IsInternal(outcome.status));
  EXPECT_FALSE(outcome.source_is_deadly);
  EXPECT_TRUE(Compile("ok kernel").status.ok());
}

TEST_F(WorkerPoolTest, AJobThatAKilledChildDidNotReadGoesToAnother) {
  Start();
  const pid_t zygote = ZygoteOnceBusy();
  int held = 0;
  for (int turn = 0; turn < 500 && held < 5; ++turn) {
    EXPECT_TRUE(Compile("ok before").status.ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    // Those that are ready and stopped are given jobs and cannot read them.
    const std::vector<pid_t> children = ChildrenOf(zygote);
    StopAll(children);
    Running one = Begin("ok kernel");
    Running other = Begin("ok kernel");
    if (one.outcome.wait_for(std::chrono::milliseconds(20)) ==
        std::future_status::timeout) {
      ++held;
    }
    for (const pid_t child : children) ::kill(child, SIGKILL);
    EXPECT_TRUE(one.outcome.get().status.ok());
    EXPECT_TRUE(other.outcome.get().status.ok());
  }
  EXPECT_EQ(held, 5);
  EXPECT_EQ(pool_->GetStats().zygote_restarts, 0u);
}

TEST_F(WorkerPoolTest, AKilledZygoteIsReplacedAndJobsGoOn) {
  Start();
  const pid_t zygote = ZygoteOnceBusy();
  std::vector<Running> running;
  for (int i = 0; i < 6; ++i) running.push_back(Begin("sleep_ms 300"));
  EXPECT_EQ(running[0].outcome.wait_for(std::chrono::milliseconds(100)),
            std::future_status::timeout);
  ::kill(zygote, SIGKILL);
  for (Running& each : running) {
    EXPECT_TRUE(each.outcome.get().status.ok());
  }
  EXPECT_EQ(pool_->GetStats().zygote_restarts, 1u);
}

TEST_F(WorkerPoolTest, AfterSomeCrashesTheZygoteIsExecutedAgain) {
  options_.crashes_per_zygote_max = 2;
  Start();
  const pid_t zygote = ZygoteOnceBusy();
  Compile("crash");
  EXPECT_EQ(pool_->GetStats().zygote_restarts, 0u);
  Compile("crash");
  EXPECT_TRUE(Compile("ok kernel").status.ok());
  EXPECT_EQ(pool_->GetStats().zygote_restarts, 1u);
  EXPECT_NE(ChildrenOf(::getpid()).back(), zygote);
}

TEST_F(WorkerPoolTest, AMissingProgramMakesJobsFail) {
  worker_ = "/nonexistent/worker";
  Start();
  // Waiting would be of no use.
  EXPECT_TRUE(absl::IsFailedPrecondition(Compile("ok kernel").status));
  std::lock_guard lock(mutex_);
  EXPECT_TRUE(unavailable_.has_value());
}

TEST_F(WorkerPoolTest, AProgramThatIsNoWorkerMakesJobsFail) {
  worker_ = "/bin/false";
  Start();
  EXPECT_TRUE(absl::IsUnavailable(Compile("ok kernel").status));
}

TEST_F(WorkerPoolTest, ACompilerThatIsNotAcceptedIsNotUsed) {
  accept_ = absl::UnavailableError("another compiler");
  Start();
  EXPECT_TRUE(absl::IsUnavailable(Compile("ok kernel").status));
  EXPECT_EQ(pool_->GetStats().children_forked, 0u);
}

TEST_F(WorkerPoolTest, TheEndOfThePoolEndsJobsAndProcesses) {
  Start();
  ZygoteOnceBusy();
  Running running = Begin("spin");
  EXPECT_EQ(running.outcome.wait_for(std::chrono::milliseconds(200)),
            std::future_status::timeout);
  pool_.reset();
  EXPECT_TRUE(absl::IsCancelled(running.outcome.get().status));
  EXPECT_TRUE(ChildrenOf(::getpid()).empty());
}

}  // namespace
}  // namespace quern
