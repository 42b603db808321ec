// Launches through a ring, from both ends.
#include "proto/wire/ring.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace quern {
namespace {

const std::atomic<bool> kGoOn = false;

SharedRegion MapRing(const RingOwner& owner) {
  return *SharedRegion::Map(owner.fd(), owner.size_bytes(), Access::kReadWrite);
}

// A ring with all of its ends in this process.
struct Ring {
  explicit Ring(uint32_t slot_count)
      : owner(*RingOwner::Create(slot_count)),
        client(*RingClient::Open(MapRing(owner))),
        executor(*RingExecutor::Open(MapRing(owner))) {}

  RingOwner owner;
  RingClient client;
  RingExecutor executor;
};

quern_ring_header& HeaderOf(SharedRegion& region) {
  return *reinterpret_cast<quern_ring_header*>(region.data());
}

void AwaitSleep(uint32_t& word) {
  while (std::atomic_ref(word).load() == 0) std::this_thread::yield();
}

TEST(RingTest, ALaunchAndItsCompletionArriveAsTheyWereSent) {
  Ring ring(4);
  std::vector<uint64_t> arguments(QUERN_RING_ARGUMENTS_MAX);
  for (size_t i = 0; i < arguments.size(); ++i) arguments[i] = i * i + 1;
  EXPECT_EQ(ring.executor.Take(), nullptr);
  ASSERT_TRUE(ring.client.Submit({.tag = 77,
                                  .kernel = 5,
                                  .grid = {2, 3, 4},
                                  .flags = QUERN_RING_MEASURE,
                                  .arguments = arguments}));
  const quern_ring_submission* launch = ring.executor.Take();
  ASSERT_NE(launch, nullptr);
  EXPECT_EQ(launch->tag, 77u);
  EXPECT_EQ(launch->kernel, 5u);
  EXPECT_EQ(launch->grid[0], 2u);
  EXPECT_EQ(launch->grid[1], 3u);
  EXPECT_EQ(launch->grid[2], 4u);
  EXPECT_EQ(launch->flags, QUERN_RING_MEASURE);
  ASSERT_EQ(launch->argument_count, arguments.size());
  EXPECT_EQ(std::memcmp(launch->arguments, arguments.data(), 1024), 0);

  quern_ring_completion completion;
  EXPECT_FALSE(ring.client.Take(completion));
  ring.executor.Complete(
      {.status = QUERN_RING_ASSERT_FAILED, .detail = 3, .run_nanoseconds = 99});
  ASSERT_TRUE(ring.client.Take(completion));
  EXPECT_EQ(completion.tag, 77u);
  EXPECT_EQ(completion.status, QUERN_RING_ASSERT_FAILED);
  EXPECT_EQ(completion.detail, 3u);
  EXPECT_EQ(completion.run_nanoseconds, 99u);
  EXPECT_EQ(ring.client.outstanding(), 0u);
}

TEST(RingTest, AsManyLaunchesAsSlotsAreOutstandingAndNoMore) {
  for (const uint32_t slots : {1u, 2u, 1024u}) {
    Ring ring(slots);
    for (uint32_t i = 0; i < slots; ++i) {
      EXPECT_TRUE(ring.client.Submit({.tag = i}));
    }
    EXPECT_FALSE(ring.client.Submit({}));
    ASSERT_NE(ring.executor.Take(), nullptr);
    // Taken is not yet complete.
    EXPECT_FALSE(ring.client.Submit({}));
    ring.executor.Complete({});
    quern_ring_completion completion;
    ASSERT_TRUE(ring.client.Take(completion));
    EXPECT_TRUE(ring.client.Submit({.tag = slots}));
    EXPECT_FALSE(ring.client.Submit({}));
    for (uint32_t tag = 1; tag <= slots; ++tag) {
      ASSERT_EQ(ring.executor.Take()->tag, tag);
      ring.executor.Complete({});
      ASSERT_TRUE(ring.client.Take(completion));
      EXPECT_EQ(completion.tag, tag);
    }
  }
}

TEST(RingTest, SlotCountsThatARingCannotHaveAreRefused) {
  for (const uint32_t slots : {0u, 3u, 1023u, 1025u, 2048u}) {
    EXPECT_TRUE(absl::IsInvalidArgument(RingOwner::Create(slots).status()))
        << slots;
  }
  EXPECT_TRUE(RingOwner::Create(1).ok());
  EXPECT_TRUE(RingOwner::Create(1024).ok());
}

TEST(RingTest, ItsMemoryCanNeitherShrinkNorGrow) {
  const RingOwner owner = *RingOwner::Create(8);
  EXPECT_NE(::ftruncate(owner.fd(), 0), 0);
  EXPECT_NE(::ftruncate(owner.fd(), 1 << 20), 0);
}

TEST(RingTest, AHeaderThatIsNotOneIsRefused) {
  using Change = void (*)(quern_ring_header&);
  for (const Change change : std::initializer_list<Change>{
           [](auto& header) { header.magic ^= 1; },
           [](auto& header) { ++header.version; },
           [](auto& header) { header.slot_count = 0; },
           [](auto& header) { header.slot_count = 5; },
           [](auto& header) { header.slot_count = 2048; },
           // Allowed, but this memory is shorter.
           [](auto& header) { header.slot_count = 16; }}) {
    const RingOwner owner = *RingOwner::Create(8);
    SharedRegion region = MapRing(owner);
    change(*reinterpret_cast<quern_ring_header*>(region.data()));
    EXPECT_TRUE(
        absl::IsInvalidArgument(RingClient::Open(std::move(region)).status()));
  }
  const RingOwner owner = *RingOwner::Create(8);
  absl::StatusOr<SharedRegion> part =
      SharedRegion::Map(owner.fd(), 256, Access::kReadWrite);
  EXPECT_TRUE(
      absl::IsInvalidArgument(RingExecutor::Open(*std::move(part)).status()));
}

TEST(RingTest, WhatAnEndDecidedOnDoesNotChangeWithTheMemory) {
  Ring ring(2);
  SharedRegion region = MapRing(ring.owner);
  reinterpret_cast<quern_ring_header*>(region.data())->slot_count = 1 << 31;
  const uint64_t argument = 1;
  ASSERT_TRUE(ring.client.Submit({.tag = 1, .arguments = {&argument, 1}}));
  const quern_ring_submission* launch = ring.executor.Take();
  ASSERT_NE(launch, nullptr);
  std::memset(region.data() + QUERN_RING_HEADER_SIZE, 0xff, 1024);
  EXPECT_EQ(launch->argument_count, 1u);
  EXPECT_EQ(launch->arguments[0], 1u);
  EXPECT_EQ(ring.client.slot_count(), 2u);
}

TEST(RingTest, TheOwnerSeesALaunchThatRuns) {
  Ring ring(2);
  EXPECT_EQ(ring.owner.progress(), 0u);
  for (uint64_t i = 0; i < 3; ++i) {
    ring.client.Submit({});
    ASSERT_NE(ring.executor.Take(), nullptr);
    ring.executor.Begin();
    EXPECT_EQ(ring.owner.progress(), 2 * i + 1);
    ring.executor.Complete({});
    EXPECT_EQ(ring.owner.progress(), 2 * i + 2);
    quern_ring_completion completion;
    ASSERT_TRUE(ring.client.Take(completion));
  }
}

TEST(RingTest, AWaitForNothingEndsWithItsTime) {
  Ring ring(2);
  EXPECT_FALSE(ring.client.Await(absl::Milliseconds(1)));
  EXPECT_FALSE(ring.executor.Await(absl::Milliseconds(1), kGoOn));
  EXPECT_FALSE(ring.client.Await(absl::ZeroDuration()));
}

TEST(RingTest, TheEndOfTheRingWakesAClientThatSleeps) {
  Ring ring(2);
  ring.client.Submit({});
  std::thread ender([&] {
    SharedRegion region = MapRing(ring.owner);
    AwaitSleep(HeaderOf(region).client_sleeps);
    ring.owner.End(QUERN_RING_KILLED);
  });
  EXPECT_TRUE(ring.client.Await(absl::InfiniteDuration()));
  ender.join();
  EXPECT_EQ(ring.client.state(), QUERN_RING_KILLED);
}

// Executes what comes until a launch with tag 0: an executor in a thread.
void Serve(RingExecutor& executor, absl::Duration sleep) {
  while (true) {
    const quern_ring_submission* launch = executor.Take();
    if (launch == nullptr) {
      executor.Await(sleep, kGoOn);
      continue;
    }
    executor.Begin();
    const bool last = launch->tag == 0;
    executor.Complete({.status = QUERN_RING_OK,
                       .detail = static_cast<uint32_t>(launch->arguments[0])});
    if (last) return;
  }
}

TEST(RingTest, NoLaunchIsLostOrReorderedWhileBothEndsRun) {
  Ring ring(8);
  std::thread executor([&] { Serve(ring.executor, absl::Seconds(60)); });
  constexpr uint64_t kLaunches = 100'000;
  uint64_t submitted = 0;
  quern_ring_completion completion;
  for (uint64_t tag = 1; tag <= kLaunches;) {
    while (submitted < kLaunches) {
      const uint64_t argument = (submitted + 1) * 3;
      if (!ring.client.Submit(
              {.tag = submitted + 1, .arguments = {&argument, 1}})) {
        break;
      }
      ++submitted;
    }
    ring.client.Wake();
    ASSERT_TRUE(ring.client.Await(absl::Seconds(60)));
    while (ring.client.Take(completion)) {
      ASSERT_EQ(completion.tag, tag);
      ASSERT_EQ(completion.detail, static_cast<uint32_t>(tag * 3));
      ++tag;
    }
  }
  ring.client.Submit({.tag = 0});
  ring.client.Wake();
  executor.join();
}

TEST(RingTest, EachEndWakesTheOtherThatSleeps) {
  Ring ring(1);
  std::thread executor([&] { Serve(ring.executor, absl::Seconds(60)); });
  SharedRegion region = MapRing(ring.owner);
  for (uint64_t tag = 1; tag <= 50; ++tag) {
    AwaitSleep(HeaderOf(region).executor_sleeps);
    ASSERT_TRUE(ring.client.Submit({.tag = tag}));
    ring.client.Wake();
    quern_ring_completion completion;
    while (!ring.client.Take(completion)) {
      ASSERT_TRUE(ring.client.Await(absl::Seconds(60)));
    }
  }
  ring.client.Submit({.tag = 0});
  ring.client.Wake();
  executor.join();
}

TEST(RingTest, AnInterruptEndsAnExecutorsSleep) {
  Ring ring(1);
  std::atomic<bool> interrupted = false;
  std::thread executor([&] {
    while (!ring.executor.Await(absl::InfiniteDuration(), interrupted)) {
    }
  });
  SharedRegion region = MapRing(ring.owner);
  AwaitSleep(HeaderOf(region).executor_sleeps);
  interrupted.store(true);
  ring.executor.Interrupt();
  executor.join();
}

}  // namespace
}  // namespace quern
