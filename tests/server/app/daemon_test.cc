// Tests of the daemon as a whole: its limits, its health and its end.
#include "server/app/daemon.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/app/daemon_fixture.h"

namespace quern {
namespace {

TEST_F(DaemonTest, ManyClientsThatWantTheSameCompileItOnce) {
  Start();
  constexpr int kKernels = 20;
  std::vector<std::thread> clients;
  std::atomic<int> failures{0};
  for (int client = 0; client < 8; ++client) {
    clients.emplace_back([this, &failures] {
      for (int i = 0; i < kKernels; ++i) {
        if (!Compile("ok kernel_" + std::to_string(i)).ok()) ++failures;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failures, 0);
  const v1::GetStatsResponse stats = Stats();
  EXPECT_EQ(stats.compiles(), uint64_t{kKernels});
  EXPECT_EQ(stats.hits() + stats.misses(), uint64_t{8 * kKernels});
  EXPECT_EQ(stats.kernels(), uint64_t{kKernels});
}

TEST_F(DaemonTest, ASourceThatKeepsCrashingIsRefusedWithoutAProcess) {
  config_.crashes_max = 2;
  Start();
  Compile("crash");
  Compile("crash");
  const grpc::Status status = Compile("crash");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_NE(status.error_message().find("refused after 2 attempts"),
            std::string::npos)
      << status.error_message();
  EXPECT_EQ(Stats().children_dead().crashed(), 2u);
}

TEST_F(DaemonTest, ACompileTimeAtTheLimitEndsIt) {
  // Also the time in which a child must become ready.
  config_.compile_timeout = absl::Seconds(2);
  Start();
  EXPECT_EQ(Compile("spin").error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(Stats().children_dead().timed_out(), 1u);
  EXPECT_TRUE(Compile("ok after").ok());
}

TEST_F(DaemonTest, TheQueueTakesItsLimitAndNoMore) {
  config_.compile_children_max = 1;
  config_.queued_compiles_max = 4;
  config_.queued_compiles_per_session_max = 3;
  Start();
  std::vector<std::future<grpc::Status>> calls;
  for (int i = 0; i < 4; ++i) {
    calls.push_back(std::async(std::launch::async, [this, i] {
      return Compile("spin " + std::to_string(i));
    }));
  }
  ASSERT_TRUE(Eventually([this] {
    const v1::GetStatsResponse stats = Stats();
    return stats.compiles_running() == 1 && stats.compiles_queued() == 3;
  }));
  const grpc::Status refused = Compile("ok too many");
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  daemon_->Drain(absl::ZeroDuration());
  for (auto& call : calls) EXPECT_FALSE(call.get().ok());
}

TEST_F(DaemonTest, WithoutAWorkerCallsFailAtOnce) {
  config_.worker_path = "/nonexistent";
  Start();
  EXPECT_EQ(Compile("ok one").error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_FALSE(IsHealthy());
}

TEST_F(DaemonTest, WithACompilerTheServiceIsHealthy) {
  Start();
  EXPECT_TRUE(Compile("ok one").ok());
  EXPECT_TRUE(Eventually([this] { return IsHealthy(); }));
}

TEST_F(DaemonTest, DrainLetsRunningCallsEndAndTakesNoMore) {
  Start();
  ASSERT_TRUE(Compile("ok warm").ok());
  std::future<grpc::Status> running = std::async(
      std::launch::async, [this] { return Compile("sleep_ms 500"); });
  ASSERT_TRUE(Eventually([this] {  // Or it has ended already.
    const v1::GetStatsResponse stats = Stats();
    return stats.compiles_running() == 1 || stats.compiles() == 2;
  }));
  daemon_->Drain(absl::Seconds(60));
  EXPECT_TRUE(running.get().ok());
  EXPECT_FALSE(
      Compile("ok late", nullptr, std::chrono::milliseconds(200)).ok());
}

TEST_F(DaemonTest, DrainEndsWhatDoesNotEnd) {
  Start();
  ASSERT_TRUE(Compile("ok warm").ok());
  std::future<grpc::Status> running =
      std::async(std::launch::async, [this] { return Compile("spin"); });
  ASSERT_TRUE(Eventually([this] { return Stats().compiles_running() == 1; }));
  daemon_->Drain(absl::Milliseconds(100));
  EXPECT_FALSE(running.get().ok());
}

}  // namespace
}  // namespace quern
