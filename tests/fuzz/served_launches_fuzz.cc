// Fuzzes what an executor takes from a ring: the input is a submission, byte by
// byte as a client could write it, cut off anywhere. No argument may become an
// address outside the session's buffer, and every launch has a result.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>

#include "server/executor/launch_runner.h"
#include "tests/server/executor/executor_fixture.h"

namespace quern {
namespace {

constexpr uint32_t kKernel = 1 << kKernelIndexBits;
constexpr uint32_t kBuffer = 1 << kBufferIndexBits;
constexpr uint64_t kBufferSize = 4096;
constexpr uint32_t kArguments = 4;  // Three pointers and a scalar.

void Check(bool condition) {
  if (!condition) __builtin_trap();
}

// A session with a kernel that does nothing and a buffer.
class Session final {
 public:
  Session() {
    const KernelKey key = TestKey(1);
    Check(memory_
              ->LoadKernel(kKernel, key,
                           slab_.Add(key, CodeReturningZero(), kArguments,
                                     kArguments - 1),
                           slab_.fd(), TestSlab::kSizeBytes)
              .ok());
    Check(memory_->MapBuffer(kBuffer, buffer_.get(), kBufferSize).ok());
  }

  void Run(const quern_ring_submission& launch) {
    const RingResult result = runner_.Run(launch);
    Check(result.status < QUERN_RING_EXECUTOR_ENDED);
    if (launch.argument_count > QUERN_RING_ARGUMENTS_MAX) return;
    uint64_t args[QUERN_RING_ARGUMENTS_MAX];
    const LoadedKernel& kernel = *memory_->FindKernel(kKernel);
    if (ResolveArguments(launch, kernel.header, *memory_, args).status !=
        QUERN_RING_OK) {
      return;
    }
    const MappedBuffer buffer = *memory_->FindBuffer(kBuffer);
    for (uint32_t i = 0; i + 1 < kArguments; ++i) {
      Check(args[i] == 0 || (args[i] >= buffer.address &&
                             args[i] <= buffer.address + kBufferSize));
    }
  }

 private:
  TestSlab slab_;
  const UniqueFd buffer_ = *CreateSealedMemory("fuzz-buffer", kBufferSize);
  const std::unique_ptr<SessionMemory> memory_ =
      std::make_unique<SessionMemory>();
  Launcher launcher_{1};
  LaunchRunner runner_{*memory_, launcher_};
};

}  // namespace
}  // namespace quern

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static quern::Session session;
  quern_ring_submission launch = {};
  std::memcpy(&launch, data, std::min(size, sizeof(launch)));
  // A grid of years ends no input.
  launch.grid[0] %= 1024;
  launch.grid[1] %= 4;
  session.Run(launch);
  return 0;
}
