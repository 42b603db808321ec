// Served launches allocate nothing: at the client's end, at the executor's, and
// in the daemon, which is not on the path.
#include "tests/client/runtime/served_fixture.h"
#include "tests/fakes/counted_allocations.h"

namespace quern {
namespace {

using ServedHotPathTest = ServedClientTest;

TEST_F(ServedHotPathTest, LaunchesAllocateNothing) {
  const auto client = NewClient();
  const uint32_t kernel = *client->LoadKernel(TestKey(1));
  const auto buffer = *client->AllocateBuffer(4096);
  const auto ring = *client->OpenRing(16);
  const uint64_t argument = buffer->Argument(64);
  bool all = true;
  const auto launch = [&](uint32_t programs) {
    const RingLaunch launches[2] = {{.tag = 1,
                                     .kernel = kernel,
                                     .grid = {programs, 1, 1},
                                     .arguments = {&argument, 1}},
                                    {.tag = 2,
                                     .kernel = kernel,
                                     .flags = QUERN_RING_MEASURE,
                                     .arguments = {&argument, 1}}};
    all = *ring->Submit(launches) == 2 && all;
    for (size_t taken = 0; taken < 2;) {
      quern_ring_completion done[2];
      const size_t count = *ring->Wait(done, kLong);
      for (size_t i = 0; i < count; ++i) {
        all = done[i].status == QUERN_RING_OK && all;
      }
      taken += count;
    }
  };
  launch(1);
  launch(100);
  const uint64_t before = AllocationCount();
  EXPECT_GT(before, 0u);  // They are counted.
  for (int i = 0; i < 10000; ++i) launch(i % 2 == 0 ? 1 : 100);
  EXPECT_EQ(AllocationCount(), before);
  EXPECT_TRUE(all);
}

}  // namespace
}  // namespace quern
