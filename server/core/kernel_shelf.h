// Where kernels are kept: the code cache for the daemon's own target, an image
// store for other targets, whose code nobody here can run.
#ifndef QUERN_SERVER_CORE_KERNEL_SHELF_H_
#define QUERN_SERVER_CORE_KERNEL_SHELF_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cache/code_cache.h"
#include "cache/image_store.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/image.h"
#include "proto/wire/kernel_key.h"
#include "server/core/compiled_kernel.h"

namespace quern {

// Thread-safe.
class KernelShelf {
 public:
  virtual ~KernelShelf() = default;

  // Returns the kernel of `key` as a cached one, if it is kept.
  virtual std::optional<CompiledKernel> Find(const KernelKey& key) = 0;

  // Checks `image`, which the compiler made of `target`, and keeps it: for the
  // `host` itself in a slab, published in the directory.
  //
  // Internal: it is not an image, not that of `key`, or for another machine.
  // ResourceExhausted: the image is too large, needs too much scratch, or the
  //   code memory is full.
  virtual absl::StatusOr<CompiledKernel> Keep(const KernelKey& key,
                                              const TargetSpec& target,
                                              const TargetSpec& host,
                                              Image image) = 0;

  // Keeps `image`, which VerifyImage has accepted, as Keep does, and returns
  // it as a cached kernel.
  //
  // FailedPrecondition: it is for another machine than `target`.
  // ResourceExhausted: it is too large, or the code memory is full.
  virtual absl::StatusOr<CompiledKernel> Restore(const TargetSpec& target,
                                                 const TargetSpec& host,
                                                 Image image) = 0;

  // Forgets the kernel of `key`.
  //
  // NotFound: it is not kept.
  virtual absl::Status Evict(const KernelKey& key) = 0;
};

// `cache` and `store` must outlive the result.
std::unique_ptr<KernelShelf> NewKernelShelf(CodeCache& cache, ImageStore& store,
                                            uint64_t image_size_bytes_max);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_KERNEL_SHELF_H_
