// Served launches from a client, through the daemon's attach server, to an
// executor in a thread.
#include "client/runtime/served_client.h"

#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "tests/client/runtime/served_fixture.h"

namespace quern {
namespace {

TEST_F(ServedClientTest, ALaunchReadsABufferThatBothShare) {
  const auto client = NewClient();
  const uint32_t kernel = *client->LoadKernel(TestKey(1));
  const auto buffer = *client->AllocateBuffer(100);
  EXPECT_EQ(buffer->size_bytes(), 100u);
  const auto ring = *client->OpenRing(4);
  buffer->data()[96] = 77;
  const uint64_t argument = buffer->Argument(96);
  const quern_ring_completion done =
      Launch(*ring, {.tag = 5, .kernel = kernel, .arguments = {&argument, 1}});
  EXPECT_EQ(done.status, QUERN_RING_ASSERT_FAILED);
  EXPECT_EQ(done.detail, 77u);
  EXPECT_EQ(counters_.started.load(), 1u);
}

TEST_F(ServedClientTest, WhatIsMadeWhileTheExecutorRunsIsThereToo) {
  const auto client = NewClient();
  const auto ring = *client->OpenRing(4);
  const auto buffer = *client->AllocateBuffer(4096);
  const uint32_t kernel = *client->LoadKernel(TestKey(1));
  const uint64_t argument = buffer->Argument(0);
  EXPECT_EQ(
      Launch(*ring, {.kernel = kernel, .arguments = {&argument, 1}}).status,
      QUERN_RING_OK);
  ASSERT_TRUE(client->UnloadKernel(kernel).ok());
  EXPECT_TRUE(absl::IsNotFound(client->UnloadKernel(kernel)));
  EXPECT_EQ(
      Launch(*ring, {.kernel = kernel, .arguments = {&argument, 1}}).status,
      QUERN_RING_BAD_KERNEL);
}

TEST_F(ServedClientTest, AKernelThatIsNotInMemoryIsAskedFor) {
  EXPECT_TRUE(absl::IsNotFound(NewClient()->LoadKernel(TestKey(9)).status()));
  const auto client = NewClient([this](const KernelKey& key) -> absl::Status {
    if (key != TestKey(9)) return absl::NotFoundError("nor on disk");
    kernels_[key] = kernels_[TestKey(1)];
    return absl::OkStatus();
  });
  EXPECT_TRUE(client->LoadKernel(TestKey(9)).ok());
  EXPECT_EQ(client->LoadKernel(TestKey(8)).status(),
            absl::NotFoundError("nor on disk"));
}

TEST_F(ServedClientTest, ABatchFillsTheRingAndComesBackInOrder) {
  const auto client = NewClient();
  const uint32_t kernel = *client->LoadKernel(TestKey(2));
  const auto ring = *client->OpenRing(8);
  const uint64_t argument = 1;
  std::vector<RingLaunch> launches(10);
  for (size_t i = 0; i < launches.size(); ++i) {
    launches[i] = {.tag = i,
                   .kernel = kernel,
                   .grid = {static_cast<uint32_t>(i), 1, 1},
                   .arguments = {&argument, 1}};
  }
  EXPECT_EQ(*ring->Submit(launches), 8u);
  EXPECT_EQ(ring->outstanding(), 8u);
  std::vector<quern_ring_completion> done(3);
  for (uint64_t tag = 0; tag < 8;) {
    const size_t count = *ring->Wait(done, kLong);
    ASSERT_GT(count, 0u);
    for (size_t i = 0; i < count; ++i) EXPECT_EQ(done[i].tag, tag++);
  }
  // Nothing is outstanding, so there is nothing to wait for.
  EXPECT_EQ(*ring->Wait(done, kLong), 0u);
  EXPECT_EQ(*ring->Take(done), 0u);
}

TEST_F(ServedClientTest, ManyLaunchesOfManySessionsComeBackInOrder) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([this] {
      const auto client = NewClient();
      const uint32_t kernel = *client->LoadKernel(TestKey(1));
      const auto buffer = *client->AllocateBuffer(4096);
      const auto ring = *client->OpenRing(16);
      const uint64_t argument = buffer->Argument(0);
      uint64_t submitted = 0;
      for (uint64_t taken = 0; taken < 5000;) {
        const RingLaunch launch = {
            .tag = submitted, .kernel = kernel, .arguments = {&argument, 1}};
        if (submitted < 5000) submitted += *ring->Submit({&launch, 1});
        if (ring->outstanding() < ring->slot_count() && submitted < 5000) {
          continue;
        }
        quern_ring_completion done;
        ASSERT_EQ(*ring->Wait({&done, 1}, kLong), 1u);
        ASSERT_EQ(done.tag, taken++);
        ASSERT_EQ(done.status, QUERN_RING_OK);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ServedClientTest, TooManyArgumentsAreRefusedHere) {
  const auto client = NewClient();
  const auto ring = *client->OpenRing(4);
  const std::vector<uint64_t> arguments(129);
  const RingLaunch launches[] = {{.tag = 1}, {.arguments = arguments}};
  EXPECT_TRUE(absl::IsInvalidArgument(ring->Submit(launches).status()));
  EXPECT_EQ(ring->outstanding(), 1u);
}

TEST_F(ServedClientTest, TheDaemonsEndIsNoticedAndNotWaitedFor) {
  const auto client = NewClient();
  const auto ring = *client->OpenRing(4);
  const auto buffer = *client->AllocateBuffer(4096);
  const uint32_t kernel = *client->LoadKernel(TestKey(2));
  server_.reset();
  const uint64_t argument = 0;
  const RingLaunch launch = {
      .tag = 9, .kernel = kernel, .arguments = {&argument, 1}};
  const absl::StatusOr<size_t> submitted = ring->Submit({&launch, 1});
  if (submitted.ok()) {
    quern_ring_completion done;
    ASSERT_EQ(*ring->Wait({&done, 1}, kLong), 1u);
    EXPECT_EQ(done.status, QUERN_RING_EXECUTOR_ENDED);
    EXPECT_FALSE(StatusOf(done).ok());
  }
  EXPECT_FALSE(ring->Submit({&launch, 1}).ok());
  EXPECT_TRUE(absl::IsUnavailable(client->OpenRing(4).status()));
}

TEST_F(ServedClientTest, AForkedChildIsToldThatItCannot) {
  const auto client = NewClient();
  const auto ring = *client->OpenRing(4);
  const pid_t child = ::fork();
  if (child == 0) {
    const RingLaunch launch;
    quern_ring_completion done;
    const bool all =
        absl::IsFailedPrecondition(ring->Submit({&launch, 1}).status()) &&
        absl::IsFailedPrecondition(
            ring->Wait({&done, 1}, absl::ZeroDuration()).status()) &&
        absl::IsFailedPrecondition(client->OpenRing(4).status()) &&
        absl::IsFailedPrecondition(client->AllocateBuffer(1).status()) &&
        absl::IsFailedPrecondition(client->LoadKernel(TestKey(1)).status());
    ::_exit(all ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(Launch(*ring, {.tag = 1}).status, QUERN_RING_BAD_KERNEL);
}

struct StatusCase {
  uint32_t status;
  uint32_t detail;
  absl::StatusCode code;
};

TEST(ServedStatusTest, EveryStatusHasItsCode) {
  for (const StatusCase& each : std::initializer_list<StatusCase>{
           {QUERN_RING_OK, 0, absl::StatusCode::kOk},
           {QUERN_RING_ASSERT_FAILED, 1, absl::StatusCode::kAborted},
           {QUERN_RING_BAD_REQUEST, 0, absl::StatusCode::kInvalidArgument},
           {QUERN_RING_BAD_KERNEL, 0, absl::StatusCode::kNotFound},
           {QUERN_RING_BAD_ARGUMENT_COUNT, 2,
            absl::StatusCode::kInvalidArgument},
           {QUERN_RING_BAD_GRID, 0, absl::StatusCode::kInvalidArgument},
           {QUERN_RING_BAD_BUFFER, 0, absl::StatusCode::kNotFound},
           {QUERN_RING_OUT_OF_RANGE, 0, absl::StatusCode::kOutOfRange},
           {QUERN_RING_NO_MEMORY, 0, absl::StatusCode::kResourceExhausted},
           {QUERN_RING_EXECUTOR_ENDED, QUERN_RING_CLOSED,
            absl::StatusCode::kUnavailable},
           {QUERN_RING_EXECUTOR_ENDED, QUERN_RING_CRASHED,
            absl::StatusCode::kAborted},
           {QUERN_RING_EXECUTOR_ENDED, QUERN_RING_TIMED_OUT,
            absl::StatusCode::kDeadlineExceeded},
           {QUERN_RING_EXECUTOR_ENDED, QUERN_RING_OUT_OF_MEMORY,
            absl::StatusCode::kResourceExhausted},
           {QUERN_RING_EXECUTOR_ENDED, QUERN_RING_DAEMON_GONE,
            absl::StatusCode::kUnavailable},
           {QUERN_RING_EXECUTOR_ENDED, 12345, absl::StatusCode::kAborted},
           {12345, 0, absl::StatusCode::kDataLoss}}) {
    EXPECT_EQ(StatusOf({.status = each.status, .detail = each.detail}).code(),
              each.code)
        << each.status << " " << each.detail;
  }
}

}  // namespace
}  // namespace quern
