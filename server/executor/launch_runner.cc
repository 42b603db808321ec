// Checks, addresses, and the time it took.
#include "server/executor/launch_runner.h"

#include <chrono>
#include <optional>

namespace quern {
namespace {

constexpr uint64_t kOffsetMask = (uint64_t{1} << QUERN_RING_OFFSET_BITS) - 1;

RingResult ResultOf(int32_t failure) {
  if (failure == 0) return {};
  if (failure == Launcher::kNoScratch) return {.status = QUERN_RING_NO_MEMORY};
  return {.status = QUERN_RING_ASSERT_FAILED,
          .detail = static_cast<uint32_t>(failure)};
}

}  // namespace

RingResult ResolveArguments(const quern_ring_submission& launch,
                            const quern_image_header& kernel,
                            const SessionMemory& memory, uint64_t* args) {
  const uint32_t count = kernel.argument_count;
  if (launch.argument_count != count) {
    return {.status = QUERN_RING_BAD_ARGUMENT_COUNT, .detail = count};
  }
  for (uint32_t i = 0; i < count; ++i) {
    const uint64_t word = launch.arguments[i];
    if (kernel.argument_kinds[i] != QUERN_ARGUMENT_POINTER || word == 0) {
      args[i] = word;
      continue;
    }
    const std::optional<MappedBuffer> buffer = memory.FindBuffer(
        static_cast<uint32_t>(word >> QUERN_RING_OFFSET_BITS));
    if (!buffer) return {.status = QUERN_RING_BAD_BUFFER, .detail = i};
    const uint64_t offset = word & kOffsetMask;
    if (offset > buffer->size_bytes) {
      return {.status = QUERN_RING_OUT_OF_RANGE, .detail = i};
    }
    args[i] = buffer->address + offset;
  }
  return {};
}

RingResult LaunchRunner::Run(const quern_ring_submission& launch) {
  if ((launch.flags & ~QUERN_RING_MEASURE) != 0 ||
      launch.argument_count > QUERN_RING_ARGUMENTS_MAX) {
    return {.status = QUERN_RING_BAD_REQUEST};
  }
  const LoadedKernel* kernel = memory_.FindKernel(launch.kernel);
  if (kernel == nullptr) return {.status = QUERN_RING_BAD_KERNEL};
  const Grid grid = {launch.grid[0], launch.grid[1], launch.grid[2]};
  if (ProgramCount(grid) >= kProgramsMax)
    return {.status = QUERN_RING_BAD_GRID};
  uint64_t args[QUERN_RING_ARGUMENTS_MAX];
  RingResult result = ResolveArguments(launch, kernel->header, memory_, args);
  if (result.status != QUERN_RING_OK) return result;
  if ((launch.flags & QUERN_RING_MEASURE) == 0) {
    return ResultOf(launcher_.Run(*kernel, grid, args, 0));
  }
  const auto begin = std::chrono::steady_clock::now();
  result = ResultOf(launcher_.Run(*kernel, grid, args, 0));
  result.run_nanoseconds = static_cast<uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin)
          .count());
  return result;
}

}  // namespace quern
