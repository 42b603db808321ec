// An executor in this process, told what to do over a socket.
#include "server/executor/executor.h"

#include <sys/socket.h>

#include <cstring>
#include <random>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "proto/wire/packet.h"
#include "tests/server/executor/executor_fixture.h"

namespace quern {
namespace {

class ExecutorTest : public testing::Test {
 protected:
  ExecutorTest() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    ours_.reset(ends[0]);
    theirs_.reset(ends[1]);
    thread_ = std::thread([this] {
      Executor executor(2, 2);
      ended_ = ServeCommands(theirs_.get(), executor);
    });
  }

  ~ExecutorTest() override { End().IgnoreError(); }

  absl::Status End() {
    ours_.reset();
    if (thread_.joinable()) thread_.join();
    return ended_;
  }

  absl::StatusCode TellBytes(std::string_view bytes, int fd = -1) {
    EXPECT_TRUE(SendPacket(ours_.get(), bytes, fd).ok());
    const Packet packet = *ReceivePacket(ours_.get(), sizeof(ExecutorAnswer));
    ExecutorAnswer answer;
    EXPECT_TRUE(MessageFromBytes(packet.bytes, answer));
    return static_cast<absl::StatusCode>(answer.status);
  }

  absl::StatusCode Tell(const ExecutorCommand& command, int fd = -1) {
    return TellBytes(MessageBytes(command), fd);
  }

  UniqueFd ours_;
  UniqueFd theirs_;
  absl::Status ended_;
  std::thread thread_;
};

TEST_F(ExecutorTest, ALaunchGoesThroughKernelBufferAndRing) {
  TestSlab slab;
  const KernelKey key = TestKey(9);
  const ImagePlace place = slab.Add(key, CodeReturningPointee(), 1, 1);
  ExecutorCommand load = {.kind = ExecutorCommandKind::kLoadKernel,
                          .id = 4096,
                          .slab = place.slab,
                          .page = place.page,
                          .size_bytes = TestSlab::kSizeBytes};
  std::memcpy(load.key, key.bytes.data(), sizeof(load.key));
  EXPECT_EQ(Tell(load, slab.fd()), absl::StatusCode::kOk);

  const UniqueFd buffer = *CreateSealedMemory("test-buffer", 4096);
  EXPECT_EQ(Tell({.kind = ExecutorCommandKind::kMapBuffer,
                  .id = 1024,
                  .size_bytes = 4096},
                 buffer.get()),
            absl::StatusCode::kOk);
  const SharedRegion memory =
      *SharedRegion::Map(buffer.get(), 4096, Access::kReadWrite);
  memory.data()[8] = 42;

  const RingOwner owner = *RingOwner::Create(2);
  EXPECT_EQ(Tell({.kind = ExecutorCommandKind::kOpenRing,
                  .id = 1,
                  .size_bytes = owner.size_bytes()},
                 owner.fd()),
            absl::StatusCode::kOk);
  RingClient ring = *RingClient::Open(
      *SharedRegion::Map(owner.fd(), owner.size_bytes(), Access::kReadWrite));
  const uint64_t argument = RingPointer(1024, 8);
  ring.Submit({.tag = 3, .kernel = 4096, .arguments = {&argument, 1}});
  ring.Wake();
  ASSERT_TRUE(ring.Await(absl::Seconds(60)));
  quern_ring_completion done;
  ASSERT_TRUE(ring.Take(done));
  EXPECT_EQ(done.status, QUERN_RING_ASSERT_FAILED);
  EXPECT_EQ(done.detail, 42u);

  for (const auto& [kind, id] :
       {std::pair(ExecutorCommandKind::kCloseRing, 1u),
        std::pair(ExecutorCommandKind::kUnmapBuffer, 1024u),
        std::pair(ExecutorCommandKind::kUnloadKernel, 4096u)}) {
    EXPECT_EQ(Tell({.kind = kind, .id = id}), absl::StatusCode::kOk);
  }
  EXPECT_TRUE(absl::IsOutOfRange(End()));
}

TEST_F(ExecutorTest, WhatIsNoCommandIsRefused) {
  EXPECT_EQ(TellBytes("x"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Tell({.kind = static_cast<ExecutorCommandKind>(77)}),
            absl::StatusCode::kInvalidArgument);
  // Without the descriptor that it needs.
  EXPECT_NE(Tell({.kind = ExecutorCommandKind::kMapBuffer,
                  .id = 1,
                  .size_bytes = 4096}),
            absl::StatusCode::kOk);
  EXPECT_NE(Tell({.kind = ExecutorCommandKind::kOpenRing, .id = 1}),
            absl::StatusCode::kOk);
}

TEST_F(ExecutorTest, RandomCommandsAreAnswered) {
  std::mt19937_64 random(8);
  const UniqueFd memory = *CreateSealedMemory("test-memory", 8192);
  for (int i = 0; i < 20000; ++i) {
    ExecutorCommand command = {
        .kind = static_cast<ExecutorCommandKind>(random() % 8),
        .id =
            static_cast<uint32_t>(random() % 3 == 0 ? random() : random() % 9),
        .slab = static_cast<uint32_t>(random() % 3),
        .page = static_cast<uint32_t>(random() % 5),
        .size_bytes = random() % 9000};
    Tell(command, random() % 4 == 0 ? -1 : memory.get());
  }
}

}  // namespace
}  // namespace quern
