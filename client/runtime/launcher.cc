// Launches: checks, scratch, threads, and what a kernel may ask for.
#include "client/runtime/launcher.h"

#include <cstdio>

#include "absl/strings/str_cat.h"

namespace quern {
namespace {

constexpr int32_t kNoScratch = Launcher::kNoScratch;

// What a kernel's services need to know.
struct ServiceContext {
  ThreadPool* pool;
  ScratchPool* scratch;
  uint64_t scratch_size_bytes;
};

int32_t ParallelFor(void* context, const quern_launch* launch, uint64_t count,
                    quern_body body, void* closure) {
  auto* services = static_cast<ServiceContext*>(context);
  return services->pool->Run(
      count, 0, [&](uint64_t begin, uint64_t end) -> int32_t {
        const ScratchPool::Lease lease =
            services->scratch->Take(services->scratch_size_bytes);
        if (services->scratch_size_bytes != 0 && lease.data() == nullptr) {
          return kNoScratch;
        }
        return body(launch, closure, begin, end, lease.data());
      });
}

void Print(void*, const char* text, uint64_t size_bytes) {
  std::fwrite(text, 1, size_bytes, stderr);
}

absl::Status StatusOf(const LoadedKernel& kernel, int32_t failure) {
  if (failure == 0) return absl::OkStatus();
  if (failure == kNoScratch) {
    return absl::ResourceExhaustedError("no memory for the kernel's scratch");
  }
  return absl::AbortedError(kernel.AssertMessage(failure));
}

}  // namespace

uint64_t ProgramCount(const Grid& grid) {
  const unsigned __int128 product =
      static_cast<unsigned __int128>(uint64_t{grid[0]} * grid[1]) * grid[2];
  return product >= kProgramsMax ? kProgramsMax
                                 : static_cast<uint64_t>(product);
}

Launcher::Launcher(uint32_t thread_count)
    : pool_(NewThreadPool(thread_count)) {}

absl::Status Launcher::Launch(const LoadedKernel& kernel, const Grid& grid,
                              absl::Span<const uint64_t> args,
                              uint32_t threads) {
  if (args.size() != kernel.header.argument_count) {
    return absl::InvalidArgumentError(
        absl::StrCat("the kernel has ", kernel.header.argument_count,
                     " arguments, not ", args.size()));
  }
  if (ProgramCount(grid) >= kProgramsMax) {
    return absl::InvalidArgumentError("the grid has 2^63 programs or more");
  }
  return StatusOf(kernel, Run(kernel, grid, args.data(), threads));
}

int32_t Launcher::Run(const LoadedKernel& kernel, const Grid& grid,
                      const uint64_t* args, uint32_t threads) {
  const uint64_t programs = ProgramCount(grid);
  if (programs == 0) return 0;
  quern_launch launch = {.args = args,
                         .grid = {grid[0], grid[1], grid[2]},
                         .flags = 0,
                         .services = nullptr};
  const uint64_t scratch_size = kernel.header.scratch_size_bytes;
  if ((kernel.header.flags & QUERN_IMAGE_NEEDS_SERVICES) == 0) {
    if (programs == 1 && scratch_size == 0) {  // The shortest way.
      return kernel.entry(&launch, 0, 1, nullptr);
    }
    return RunOnPool(kernel, launch, programs, threads);
  }
  ServiceContext context = {pool_.get(), &scratch_, scratch_size};
  const quern_services services = {.size_bytes = sizeof(quern_services),
                                   .reserved = 0,
                                   .context = &context,
                                   .parallel_for = ParallelFor,
                                   .print = Print};
  launch.services = &services;
  return RunOnPool(kernel, launch, programs, threads);
}

int32_t Launcher::RunOnPool(const LoadedKernel& kernel,
                            const quern_launch& launch, uint64_t programs,
                            uint32_t threads) {
  const uint64_t scratch_size = kernel.header.scratch_size_bytes;
  return pool_->Run(
      programs, threads, [&](uint64_t begin, uint64_t end) -> int32_t {
        const ScratchPool::Lease lease = scratch_.Take(scratch_size);
        if (scratch_size != 0 && lease.data() == nullptr) {
          return kNoScratch;
        }
        return kernel.entry(&launch, begin, end, lease.data());
      });
}

}  // namespace quern
