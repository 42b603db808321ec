// Code slabs: append-only shared memory that holds kernel images.
//
// A slab is a memfd that only this process can write, through one mapping made
// before the seal. Bytes are written once; a slab is given up whole
// ("retired"), never reused, so code that somebody runs never changes under
// them. The memory of a retired slab goes when its last user has unmapped it;
// until then it counts against the limit.
//
// All methods are thread-safe.
#ifndef QUERN_CACHE_CODE_SLABS_H_
#define QUERN_CACHE_CODE_SLABS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/wire/directory_word.h"
#include "proto/wire/unique_fd.h"

namespace quern {

struct CodeSlabsOptions {
  // Size of an ordinary slab: a multiple of 4 KiB. A larger image gets a slab
  // of its own.
  uint64_t slab_size_bytes = uint64_t{4} << 20;
  // Of all slabs together, retired ones that are still mapped included.
  uint64_t total_size_bytes_max = uint64_t{512} << 20;
};

// A slab as others may have it: a descriptor that cannot be written through.
struct SlabDescriptor {
  UniqueFd fd;
  uint64_t size_bytes = 0;
};

struct CodeSlabsStats {
  uint32_t live = 0;
  uint32_t retired = 0;     // Not live, but somebody still has them.
  uint64_t size_bytes = 0;  // Of both.
};

class CodeSlabs {
 public:
  virtual ~CodeSlabs() = default;

  // Copies `image` into a slab, at the next multiple of 4 KiB.
  //
  // InvalidArgument: the image is empty or larger than a slab can be.
  // ResourceExhausted: the limit is reached, or slab ids have run out.
  virtual absl::StatusOr<ImagePlace> Append(std::string_view image) = 0;

  // Whether Append of `size_bytes` would begin a slab that brings the total
  // close to the limit. The caller should then retire the oldest slab, so that
  // its users have time to let go before the limit itself is met.
  virtual bool NearLimit(uint64_t size_bytes) = 0;

  // Returns a descriptor of a live slab for another process.
  //
  // NotFound: no such slab, or it is retired.
  // ResourceExhausted: no descriptors are left.
  virtual absl::StatusOr<SlabDescriptor> Open(uint32_t slab) = 0;

  // Copies `size_bytes` at `place` out of a live slab.
  //
  // NotFound: no such slab, or it is retired, or it is shorter.
  virtual absl::StatusOr<std::string> Read(ImagePlace place,
                                           uint64_t size_bytes) = 0;

  // The live slab that began first.
  virtual std::optional<uint32_t> Oldest() = 0;

  // Gives up a live slab: it takes no image and is not handed out any more.
  // Withdraw its kernels from the directory first.
  virtual void Retire(uint32_t slab) = 0;

  virtual CodeSlabsStats GetStats() = 0;
};

std::unique_ptr<CodeSlabs> NewCodeSlabs(const CodeSlabsOptions& options);

}  // namespace quern

#endif  // QUERN_CACHE_CODE_SLABS_H_
