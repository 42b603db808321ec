// Tests of flights.
#include "server/core/single_flight.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/fakes/fake_image.h"

namespace quern {
namespace {

FlightKey KeyOf(uint8_t byte) { return {.key = FakeKey(byte)}; }

// Counts its calls and keeps the last result.
struct Waiter {
  CompileDone done() {
    return [this](const absl::StatusOr<CompiledKernel>& kernel) {
      ++calls;
      status = kernel.status();
    };
  }
  int calls = 0;
  absl::Status status;
};

TEST(SingleFlightTest, TheSecondCallerGetsTheFirstResult) {
  const auto flights = NewSingleFlight();
  Waiter first;
  Waiter second;
  const JoinedFlight leader =
      flights->Join(KeyOf(1), 1, "s", absl::InfiniteFuture(), first.done());
  const JoinedFlight follower =
      flights->Join(KeyOf(1), 2, "s", absl::InfiniteFuture(), second.done());
  EXPECT_TRUE(leader.leads);
  EXPECT_FALSE(follower.leads);
  EXPECT_EQ(leader.flight, follower.flight);
  flights->Land(leader.flight, absl::AbortedError("landed"));
  EXPECT_EQ(first.calls, 1);
  EXPECT_EQ(second.calls, 1);
  EXPECT_TRUE(absl::IsAborted(second.status));
}

TEST(SingleFlightTest, OtherKeysAndOtherOutputsFlyAlone) {
  const auto flights = NewSingleFlight();
  Waiter waiter;
  const auto forever = absl::InfiniteFuture();
  EXPECT_TRUE(flights->Join(KeyOf(1), 1, "s", forever, waiter.done()).leads);
  EXPECT_TRUE(flights->Join(KeyOf(2), 2, "s", forever, waiter.done()).leads);
  EXPECT_TRUE(flights
                  ->Join({.key = FakeKey(1), .output = CompileOutput::kPlan}, 3,
                         "s", forever, waiter.done())
                  .leads);
}

TEST(SingleFlightTest, AfterLandingANewFlightBegins) {
  const auto flights = NewSingleFlight();
  Waiter waiter;
  const auto first =
      flights->Join(KeyOf(1), 1, "s", absl::InfiniteFuture(), waiter.done());
  flights->Land(first.flight, absl::AbortedError("landed"));
  EXPECT_TRUE(
      flights->Join(KeyOf(1), 2, "s", absl::InfiniteFuture(), waiter.done())
          .leads);
}

TEST(SingleFlightTest, TheDeadlineIsTheLatestOfTheWaiters) {
  const auto flights = NewSingleFlight();
  Waiter waiter;
  const absl::Time soon = absl::UnixEpoch() + absl::Seconds(1);
  const absl::Time late = absl::UnixEpoch() + absl::Seconds(9);
  const auto leader = flights->Join(KeyOf(1), 1, "s", soon, waiter.done());
  EXPECT_EQ(leader.deadline->time(), soon);
  flights->Join(KeyOf(1), 2, "s", late, waiter.done());
  EXPECT_EQ(leader.deadline->time(), late);
  flights->Join(KeyOf(1), 3, "s", soon, waiter.done());
  EXPECT_EQ(leader.deadline->time(), late);
  flights->Join(KeyOf(1), 4, "s", absl::InfiniteFuture(), waiter.done());
  EXPECT_EQ(leader.deadline->time(), absl::InfiniteFuture());
}

TEST(SingleFlightTest, OnlyTheLastWaiterEndsTheFlightByLeaving) {
  const auto flights = NewSingleFlight();
  Waiter first;
  Waiter second;
  const auto leader =
      flights->Join(KeyOf(1), 1, "s", absl::InfiniteFuture(), first.done());
  flights->Join(KeyOf(1), 2, "s", absl::InfiniteFuture(), second.done());
  const LeftFlight left = flights->Leave(1);
  EXPECT_TRUE(left.done);
  EXPECT_EQ(left.abandoned, std::nullopt);
  EXPECT_EQ(flights->SessionsOf(leader.flight).size(), 1u);
  EXPECT_EQ(flights->Leave(2).abandoned, leader.flight);
  EXPECT_TRUE(flights->SessionsOf(leader.flight).empty());
  flights->Land(leader.flight, absl::AbortedError("too late"));
  EXPECT_EQ(first.calls, 0);
  EXPECT_EQ(second.calls, 0);
}

TEST(SingleFlightTest, ARefusedSessionLeavesTheOthersInFlight) {
  const auto flights = NewSingleFlight();
  const auto forever = absl::InfiniteFuture();
  Waiter first;
  Waiter second;
  const uint64_t flight =
      flights->Join(KeyOf(1), 1, "s", forever, first.done()).flight;
  flights->Join(KeyOf(1), 2, "t", forever, second.done());
  flights->Join(KeyOf(1), 3, "s", forever, first.done());
  EXPECT_EQ(flights->SessionsOf(flight), (std::vector<SessionId>{"s", "t"}));
  flights->Refuse(flight, "s", absl::AbortedError("no"));
  EXPECT_EQ(first.calls, 2);
  EXPECT_TRUE(absl::IsAborted(first.status));
  EXPECT_EQ(second.calls, 0);
  EXPECT_EQ(flights->SessionsOf(flight), std::vector<SessionId>{"t"});
  EXPECT_FALSE(flights->Leave(1).done);
  flights->Refuse(flight, "t", absl::AbortedError("no"));
  EXPECT_EQ(second.calls, 1);
  EXPECT_TRUE(flights->SessionsOf(flight).empty());
  EXPECT_TRUE(flights->Join(KeyOf(1), 4, "s", forever, first.done()).leads);
}

TEST(SingleFlightTest, TheLastWaiterOfASessionForsakesTheFlight) {
  const auto flights = NewSingleFlight();
  const auto forever = absl::InfiniteFuture();
  Waiter waiter;
  const uint64_t flight =
      flights->Join(KeyOf(1), 1, "s", forever, waiter.done()).flight;
  flights->Join(KeyOf(1), 2, "s", forever, waiter.done());
  flights->Join(KeyOf(1), 3, "t", forever, waiter.done());
  EXPECT_FALSE(flights->Leave(1).forsaken);
  const LeftFlight left = flights->Leave(2);
  ASSERT_TRUE(left.forsaken);
  EXPECT_EQ(left.forsaken->flight, flight);
  EXPECT_EQ(left.forsaken->session, "s");
  EXPECT_FALSE(flights->Leave(3).forsaken);
}

TEST(SingleFlightTest, WhoIsInNoFlightLeavesNone) {
  const auto flights = NewSingleFlight();
  EXPECT_FALSE(flights->Leave(7).done);
}

TEST(SingleFlightTest, OfManyThreadsOneLeads) {
  const auto flights = NewSingleFlight();
  std::atomic<int> leaders{0};
  std::atomic<int> results{0};
  std::atomic<uint64_t> flight{0};
  std::vector<std::thread> threads;
  for (uint64_t waiter = 1; waiter <= 8; ++waiter) {
    threads.emplace_back([&, waiter] {
      const auto joined = flights->Join(
          KeyOf(1), waiter, "s", absl::InfiniteFuture(),
          [&results](const absl::StatusOr<CompiledKernel>&) { ++results; });
      if (joined.leads) ++leaders;
      flight = joined.flight;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(leaders, 1);
  flights->Land(flight, CompiledKernel());
  EXPECT_EQ(results, 8);
}

}  // namespace
}  // namespace quern
