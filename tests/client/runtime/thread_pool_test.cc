// The pool: every piece once, on as many threads as allowed.
#include "client/runtime/thread_pool.h"

#include <atomic>
#include <cfenv>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "client/runtime/floating_point_control.h"
#include "gtest/gtest.h"

namespace quern {
namespace {

// Runs `count` pieces and expects that each was run exactly once.
void ExpectEachOnce(ThreadPool& pool, uint64_t count, uint32_t threads) {
  std::vector<std::atomic<int>> runs(count);
  EXPECT_EQ(pool.Run(count, threads,
                     [&runs](uint64_t begin, uint64_t end) -> int32_t {
                       for (uint64_t i = begin; i < end; ++i) ++runs[i];
                       return 0;
                     }),
            0);
  for (uint64_t i = 0; i < count; ++i) ASSERT_EQ(runs[i].load(), 1) << i;
}

TEST(ThreadPoolTest, EveryPieceRunsOnceWhateverTheCount) {
  const auto pool = NewThreadPool(4);
  for (const uint64_t count : {0, 1, 2, 3, 4, 5, 63, 64, 65, 1000, 100'000}) {
    ExpectEachOnce(*pool, count, 0);
    ExpectEachOnce(*pool, count, 1);
    ExpectEachOnce(*pool, count, 3);
  }
}

TEST(ThreadPoolTest, ManyShortRunsInARowAllEnd) {
  const auto pool = NewThreadPool(3);
  std::atomic<uint64_t> sum{0};
  for (int i = 0; i < 5000; ++i) {
    pool->Run(7, 0, [&sum](uint64_t begin, uint64_t end) -> int32_t {
      sum += end - begin;
      return 0;
    });
  }
  EXPECT_EQ(sum.load(), 5000u * 7);
}

TEST(ThreadPoolTest, WorkersWakeAfterTheyParked) {
  const auto pool = NewThreadPool(3);
  for (int i = 0; i < 5; ++i) {
    ExpectEachOnce(*pool, 1000, 0);
    std::this_thread::sleep_until(std::chrono::steady_clock::now() +
                                  std::chrono::milliseconds(20));
  }
}

TEST(ThreadPoolTest, ALimitOfOneRunsOnTheCallersThread) {
  const auto pool = NewThreadPool(4);
  const std::thread::id caller = std::this_thread::get_id();
  pool->Run(100, 1, [caller](uint64_t, uint64_t) -> int32_t {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    return 0;
  });
}

TEST(ThreadPoolTest, NoMoreThreadsTakePartThanAllowed) {
  const auto pool = NewThreadPool(4);
  for (int round = 0; round < 50; ++round) {
    std::mutex mutex;
    std::set<std::thread::id> ids;
    pool->Run(1000, 2, [&](uint64_t, uint64_t) -> int32_t {
      const std::lock_guard<std::mutex> lock(mutex);
      ids.insert(std::this_thread::get_id());
      return 0;
    });
    EXPECT_LE(ids.size(), 2u);
  }
}

TEST(ThreadPoolTest, AFailureIsReturnedAndEndsTheWork) {
  const auto pool = NewThreadPool(2);
  std::atomic<uint64_t> done{0};
  EXPECT_EQ(pool->Run(1'000'000, 0,
                      [&done](uint64_t begin, uint64_t end) -> int32_t {
                        done += end - begin;
                        return 7;
                      }),
            7);
  EXPECT_LT(done.load(), 1'000'000u);
  ExpectEachOnce(*pool, 100, 0);  // The next run is not affected.
}

TEST(ThreadPoolTest, RunsOfDifferentWidthFollowEachOther) {
  const auto pool = NewThreadPool(5);
  for (uint32_t i = 0; i < 3000; ++i) {
    const uint32_t threads = 2 + i % 4;
    std::atomic<uint64_t> sum{0};
    pool->Run(threads, threads, [&sum](uint64_t begin, uint64_t end) {
      sum += end - begin;
      return 0;
    });
    ASSERT_EQ(sum.load(), threads);
  }
}

TEST(ThreadPoolTest, WorkersRunUnderTheCallersFloatingPointControl) {
  const auto pool = NewThreadPool(4);
  const uint64_t before = ReadFloatingPointControl();
  std::fesetround(FE_TOWARDZERO);
  const uint64_t changed = ReadFloatingPointControl();
  std::atomic<int> others{0};
  for (int i = 0; i < 20; ++i) {
    pool->Run(100, 0, [&](uint64_t, uint64_t) -> int32_t {
      // The low six bits of MXCSR are sticky results, not control.
      if ((ReadFloatingPointControl() ^ changed) >> 6 != 0) ++others;
      return 0;
    });
  }
  WriteFloatingPointControl(before);
  EXPECT_EQ(others.load(), 0);
}

TEST(ThreadPoolTest, ARunInsideARunIsDoneByTheCallingThread) {
  const auto pool = NewThreadPool(4);
  std::atomic<uint64_t> inner{0};
  pool->Run(8, 0, [&](uint64_t begin, uint64_t end) -> int32_t {
    for (uint64_t i = begin; i < end; ++i) {
      pool->Run(10, 0, [&inner](uint64_t b, uint64_t e) -> int32_t {
        inner += e - b;
        return 0;
      });
    }
    return 0;
  });
  EXPECT_EQ(inner.load(), 80u);
}

TEST(ThreadPoolTest, CallersFromManyThreadsAllGetTheirWorkDone) {
  const auto pool = NewThreadPool(3);
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&pool] {
      for (int i = 0; i < 200; ++i) ExpectEachOnce(*pool, 50, 0);
    });
  }
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace quern
