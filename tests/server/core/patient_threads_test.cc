// Tests of threads for work that may block.
#include "server/core/patient_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace quern {
namespace {

// Opens once; who waits goes on.
class Gate final {
 public:
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

constexpr absl::Duration kForever = absl::Hours(1);

TEST(PatientThreadsTest, WorkIsAnswered) {
  const auto threads = NewPatientThreads({.patience = kForever});
  Gate answered;
  threads->Run([&] { return [&] { answered.Open(); }; },
               [](const absl::Status&) { FAIL(); });
  answered.Wait();
  EXPECT_EQ(threads->late(), 0u);
}

TEST(PatientThreadsTest, WorkThatTakesTooLongIsLateAndNotAnswered) {
  Gate disk;
  Gate late;
  std::atomic<int> answers{0};
  {
    const auto threads =
        NewPatientThreads({.threads = 1, .patience = absl::Milliseconds(20)});
    threads->Run(
        [&] {
          disk.Wait();
          return [&] { ++answers; };
        },
        [&](const absl::Status& status) {
          EXPECT_TRUE(absl::IsUnavailable(status));
          late.Open();
        });
    late.Wait();
    EXPECT_EQ(threads->late(), 1u);
    disk.Open();
  }
  EXPECT_EQ(answers, 0);
}

TEST(PatientThreadsTest, WhileAllThreadsAreHeldUpOthersAreLateAtOnce) {
  Gate disk;
  Gate late;
  const auto threads =
      NewPatientThreads({.threads = 1, .patience = absl::Milliseconds(20)});
  threads->Run(
      [&]() -> PatientThreads::Answer {
        disk.Wait();
        return [] {};
      },
      [&](const absl::Status&) { late.Open(); });
  late.Wait();
  bool second_is_late = false;
  threads->Run([]() -> PatientThreads::Answer { return [] {}; },
               [&](const absl::Status&) { second_is_late = true; });
  EXPECT_TRUE(second_is_late);
  disk.Open();
  // The thread is free again, some time.
  std::atomic<bool> answered{false};
  while (!answered) {
    Gate done;
    threads->Run(
        [&] {
          return [&] {
            answered = true;
            done.Open();
          };
        },
        [&](const absl::Status&) { done.Open(); });
    done.Wait();
  }
}

TEST(PatientThreadsTest, SoManyJobsWaitAndTheNextIsLateAtOnce) {
  Gate disk;
  Gate begun;
  std::atomic<int> answers{0};
  const auto threads =
      NewPatientThreads({.threads = 1, .waiting_max = 2, .patience = kForever});
  const auto wait = [&]() -> PatientThreads::Answer {
    begun.Open();
    disk.Wait();
    return [&] { ++answers; };
  };
  int late = 0;
  const auto count = [&](const absl::Status&) { ++late; };
  threads->Run(wait, count);
  begun.Wait();
  threads->Run(wait, count);
  threads->Run(wait, count);
  EXPECT_EQ(late, 0);
  threads->Run(wait, count);
  EXPECT_EQ(late, 1);
  disk.Open();
  while (answers != 3) {
  }
}

TEST(PatientThreadsTest, StopAnswersEveryJobOnce) {
  Gate begun;
  Gate disk;
  std::atomic<int> answers{0};
  std::atomic<int> late{0};
  const auto threads = NewPatientThreads({.threads = 1, .patience = kForever});
  for (int i = 0; i < 5; ++i) {
    threads->Run(
        [&] {
          begun.Open();
          disk.Wait();
          return [&] { ++answers; };
        },
        [&](const absl::Status&) {
          ++late;
          disk.Open();
        });
  }
  begun.Wait();
  threads->Stop();
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(late, 4);
  threads->Run([]() -> PatientThreads::Answer { return [] {}; },
               [&](const absl::Status&) { ++late; });
  EXPECT_EQ(late, 5);
}

}  // namespace
}  // namespace quern
