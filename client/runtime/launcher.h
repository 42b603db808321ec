// Direct launch: runs mapped kernels on this process's own threads.
//
// Thread-safe.
#ifndef QUERN_CLIENT_RUNTIME_LAUNCHER_H_
#define QUERN_CLIENT_RUNTIME_LAUNCHER_H_

#include <array>
#include <cstdint>
#include <limits>
#include <memory>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "client/runtime/loaded_kernel.h"
#include "client/runtime/scratch_pool.h"
#include "client/runtime/thread_pool.h"

namespace quern {

// Programs along x, y and z.
using Grid = std::array<uint32_t, 3>;

// A grid has fewer programs than this.
inline constexpr uint64_t kProgramsMax = uint64_t{1} << 63;

// The programs of `grid`, or kProgramsMax if there are that many or more.
uint64_t ProgramCount(const Grid& grid);

class Launcher final {
 public:
  // `thread_count` includes the launching thread; at least 1.
  explicit Launcher(uint32_t thread_count);

  // Runs every program of `grid` and returns when all have ended. `args` has
  // one slot an argument (kernel_abi.h). `threads` bounds how many threads
  // take part, the caller's included; 0 means all, 1 the caller's alone. A
  // grid with a 0 in it has no programs.
  //
  // InvalidArgument: another number of arguments than the kernel has, or the
  //   product of the grid is 2^63 or more.
  // Aborted: a device assert failed; the message is the assert's.
  // ResourceExhausted: no memory for scratch.
  absl::Status Launch(const LoadedKernel& kernel, const Grid& grid,
                      absl::Span<const uint64_t> args, uint32_t threads);

  // What Run returns if there was no memory for scratch.
  static constexpr int32_t kNoScratch = std::numeric_limits<int32_t>::min();

  // As Launch, for a launch that was checked: `args` has as many slots as the
  // kernel has arguments, and the grid is below kProgramsMax. Returns 0, the
  // number of the assert that failed (from 1), or kNoScratch.
  int32_t Run(const LoadedKernel& kernel, const Grid& grid,
              const uint64_t* args, uint32_t threads);

  // Starts the threads, which otherwise start with the first launch that
  // needs them.
  void StartThreads() { pool_->Start(); }

  uint32_t thread_count() const { return pool_->thread_count(); }

 private:
  int32_t RunOnPool(const LoadedKernel& kernel, const quern_launch& launch,
                    uint64_t programs, uint32_t threads);

  ScratchPool scratch_;
  const std::unique_ptr<ThreadPool> pool_;
};

}  // namespace quern

#endif  // QUERN_CLIENT_RUNTIME_LAUNCHER_H_
