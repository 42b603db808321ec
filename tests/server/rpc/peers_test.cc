// Tests of the bound on connections. Which session a call belongs to is tested
// with real calls, in tests/server/app/daemon_test.cc.
#include "server/rpc/peers.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "proto/wire/unique_fd.h"
#include "tests/fakes/fake_clock.h"

namespace quern {
namespace {

class NobodyAttached final : public SessionRegistry {
 public:
  bool IsAttached(const SessionToken&, uint32_t) override { return false; }
  uint64_t session_count() override { return 0; }
};

UniqueFd Descriptor() {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const UniqueFd other(ends[1]);
  return UniqueFd(ends[0]);
}

TEST(PeersTest, TheLastConnectionIsTakenAndOneMoreIsNot) {
  NobodyAttached registry;
  FakeClock clock;
  Peers peers(registry, clock, 3);
  std::vector<UniqueFd> open;
  for (int i = 0; i < 3; ++i) {
    open.push_back(Descriptor());
    EXPECT_TRUE(peers.Add(open.back().get(), 1000));
  }
  const UniqueFd extra = Descriptor();
  EXPECT_FALSE(peers.Add(extra.get(), 1000));
  open.pop_back();
  EXPECT_TRUE(peers.Add(extra.get(), 1000));
}

TEST(PeersTest, ANumberThatIsGivenAgainCountsOnce) {
  NobodyAttached registry;
  FakeClock clock;
  Peers peers(registry, clock, 1);
  for (int i = 0; i < 3; ++i) {
    const UniqueFd fd = Descriptor();
    EXPECT_TRUE(peers.Add(fd.get(), 1000));
  }
}

}  // namespace
}  // namespace quern
