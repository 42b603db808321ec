// Tests of the daemon's end of a child's socket, against hostile children.
#include "server/workers/child_connection.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>

#include "server/workers/stream_message.h"

namespace quern {
namespace {

constexpr size_t kLimit = 1 << 20;

class ChildConnectionTest : public testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_IGN);
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    connection_ = std::make_unique<ChildConnection>(UniqueFd(ends[0]), kLimit);
    child_ = UniqueFd(ends[1]);
  }

  void ChildWrites(const std::string& bytes) {
    ASSERT_EQ(::write(child_.get(), bytes.data(), bytes.size()),
              static_cast<ssize_t>(bytes.size()));
  }

  std::unique_ptr<ChildConnection> connection_;
  UniqueFd child_;
};

TEST_F(ChildConnectionTest, AMessageInPiecesComesWhole) {
  const std::string framed = WithLength("hello");
  for (const char byte : framed) {
    EXPECT_EQ(*connection_->Receive(), std::nullopt);
    ChildWrites(std::string(1, byte));
  }
  EXPECT_EQ(*connection_->Receive(), "hello");
  EXPECT_EQ(*connection_->Receive(), std::nullopt);
}

TEST_F(ChildConnectionTest, TwoMessagesInOnePieceComeApart) {
  ChildWrites(WithLength("one") + WithLength(""));
  EXPECT_EQ(*connection_->Receive(), "one");
  EXPECT_EQ(*connection_->Receive(), "");
}

TEST_F(ChildConnectionTest, AMessageAtTheLimitComesAndALongerDoesNot) {
  std::thread child([this] {
    const std::string message(kLimit, 'x');
    EXPECT_TRUE(WriteMessage(child_.get(), message).ok());
    // It may not be taken, once its length is known.
    WriteMessage(child_.get(), message + "x").IgnoreError();
  });
  absl::StatusOr<std::optional<std::string>> received;
  do {
    received = connection_->Receive();
  } while (received.ok() && !*received);
  ASSERT_TRUE(received.ok());
  EXPECT_EQ((*received)->size(), kLimit);
  do {
    received = connection_->Receive();
  } while (received.ok() && !*received);
  EXPECT_TRUE(absl::IsInvalidArgument(received.status()));
  connection_.reset();
  child.join();
}

TEST_F(ChildConnectionTest, AChildThatLeavesInAMessageIsGone) {
  ChildWrites(WithLength("hello").substr(0, 6));
  child_.reset();
  EXPECT_TRUE(absl::IsOutOfRange(connection_->Receive().status()));
}

TEST_F(ChildConnectionTest, AChildThatDoesNotReadBlocksNobody) {
  connection_->Send(std::string(kLimit * 4, 'x'));
  EXPECT_TRUE(connection_->Flush().ok());
  EXPECT_TRUE(connection_->wants_write());
  child_.reset();
  EXPECT_FALSE(connection_->Flush().ok());
}

TEST_F(ChildConnectionTest, WhatIsSentArrives) {
  connection_->Send("hello");
  EXPECT_TRUE(connection_->Flush().ok());
  EXPECT_FALSE(connection_->wants_write());
  EXPECT_EQ(*ReadMessage(child_.get(), 5), "hello");
  connection_->Send("longer");
  EXPECT_TRUE(connection_->Flush().ok());
  EXPECT_TRUE(absl::IsInvalidArgument(ReadMessage(child_.get(), 5).status()));
}

TEST_F(ChildConnectionTest, AChildThatLeavesBeforeItHasReadIsToldApart) {
  connection_->Send("hello");
  EXPECT_TRUE(connection_->Flush().ok());
  child_.reset();
  EXPECT_TRUE(absl::IsOutOfRange(connection_->Receive().status()));
  EXPECT_TRUE(connection_->closed_unread());
}

TEST_F(ChildConnectionTest, SoIsOneThatLeftBeforeAnythingWasSent) {
  child_.reset();
  connection_->Send("hello");
  EXPECT_FALSE(connection_->Flush().ok());
  EXPECT_TRUE(connection_->closed_unread());
}

TEST_F(ChildConnectionTest, AChildThatLeavesAfterItHasReadMayHaveBegun) {
  connection_->Send("hello");
  EXPECT_TRUE(connection_->Flush().ok());
  EXPECT_EQ(*ReadMessage(child_.get(), 5), "hello");
  child_.reset();
  EXPECT_TRUE(absl::IsOutOfRange(connection_->Receive().status()));
  EXPECT_FALSE(connection_->closed_unread());
}

}  // namespace
}  // namespace quern
