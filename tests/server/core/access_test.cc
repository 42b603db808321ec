// Tests of peer credentials and access lists.
#include "server/core/access.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/wire/unique_fd.h"

namespace quern {
namespace {

TEST(AccessTest, ThePeerOfASocketPairIsThisProcess) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const UniqueFd one(ends[0]);
  const UniqueFd other(ends[1]);
  const Peer peer = *PeerOf(one.get());
  EXPECT_EQ(peer.process_id, ::getpid());
  EXPECT_EQ(peer.user_id, ::geteuid());
  EXPECT_TRUE(MayConnect({.user_ids = {}, .group_ids = {::getegid()}}, peer));
}

TEST(AccessTest, WhatIsNoSocketHasNoPeer) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const UniqueFd one(ends[0]);
  const UniqueFd other(ends[1]);
  EXPECT_TRUE(absl::IsInternal(PeerOf(one.get()).status()));
}

TEST(AccessTest, WhoIsInNoListMayNot) {
  const Peer peer{.process_id = 1, .user_id = 1000, .group_ids = {7, 8}};
  EXPECT_FALSE(MayConnect({}, peer));
  EXPECT_FALSE(MayConnect({.user_ids = {0, 1001}, .group_ids = {1000}}, peer));
  EXPECT_TRUE(MayConnect({.user_ids = {0, 1000}, .group_ids = {}}, peer));
  EXPECT_TRUE(MayConnect({.user_ids = {}, .group_ids = {8}}, peer));
}

}  // namespace
}  // namespace quern
