// The writer of the kernel directory (proto/wire/directory_layout.h).
//
// Publishing and withdrawing are one release store each, so a reader in another
// process never sees half an entry, also when this process dies.
//
// All methods are thread-safe.
#ifndef QUERN_CACHE_KERNEL_DIRECTORY_H_
#define QUERN_CACHE_KERNEL_DIRECTORY_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cache/code_slabs.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/directory_word.h"
#include "proto/wire/kernel_key.h"

namespace quern {

class KernelDirectory {
 public:
  virtual ~KernelDirectory() = default;

  // Tells readers which compiler and which host keys are formed with. Call it
  // once, before the first Publish.
  //
  // InvalidArgument: the target's canonical bytes do not fit the header.
  virtual absl::Status SetCompiler(const BuildId& build_id,
                                   const TargetSpec& host) = 0;

  // Enters `key` at `place`. An entry of the same key is replaced; else, in a
  // full bucket, the oldest is.
  virtual void Publish(const KernelKey& key, ImagePlace place) = 0;

  // Removes the entry of `key` at `place`, if it is still there.
  virtual void Withdraw(const KernelKey& key, ImagePlace place) = 0;

  // Removes every entry in `slab`.
  virtual void WithdrawSlab(uint32_t slab) = 0;

  // Returns a descriptor for another process, which can only read through it.
  virtual absl::StatusOr<SlabDescriptor> Open() = 0;

  virtual uint64_t incarnation() const = 0;
};

// Makes an empty directory with room for at least `entries_max` entries, at
// least 1. `incarnation` names this run of the daemon.
//
// ResourceExhausted: no descriptors or memory.
absl::StatusOr<std::unique_ptr<KernelDirectory>> CreateKernelDirectory(
    uint32_t entries_max, uint64_t incarnation);

}  // namespace quern

#endif  // QUERN_CACHE_KERNEL_DIRECTORY_H_
