// The code cache: kernels in code slabs, found by key here and, through the
// kernel directory, in every attached process.
//
// Evicting is by whole slabs, oldest first; single kernels can be forgotten,
// but their bytes stay until their slab goes.
//
// All methods are thread-safe.
#ifndef QUERN_CACHE_CODE_CACHE_H_
#define QUERN_CACHE_CODE_CACHE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cache/code_slabs.h"
#include "cache/kernel_directory.h"
#include "cache/kernel_info.h"
#include "proto/wire/kernel_key.h"

namespace quern {

struct CodeCacheStats {
  uint64_t kernels = 0;
  uint64_t evictions = 0;  // Kernels that left, for whatever reason.
  CodeSlabsStats slabs;
};

class CodeCache {
 public:
  virtual ~CodeCache() = default;

  // Returns the kernel of `key`, if it is here.
  virtual std::optional<KernelInfo> Find(const KernelKey& key) = 0;

  // Copies `image` into a slab and publishes it. `info` describes the image;
  // it comes back with its place. A key that is here already stays as it is,
  // and its description is returned.
  //
  // ResourceExhausted: the code memory is full of slabs that are still mapped.
  virtual absl::StatusOr<KernelInfo> Insert(KernelInfo info,
                                            std::string_view image) = 0;

  // Forgets the kernel of `key`. Who holds it goes on running it.
  //
  // NotFound: it is not here.
  virtual absl::Status Evict(const KernelKey& key) = 0;

  // At most `count` kernels whose keys come after `after` (from the first, if
  // there is none), in the order of their keys.
  virtual std::vector<KernelInfo> List(const std::optional<KernelKey>& after,
                                       size_t count) = 0;

  virtual CodeCacheStats GetStats() = 0;
};

// `slabs` and `directory` must outlive the result. At most `kernels_max`
// kernels are kept. `on_retired` is called with the id of each slab that is
// given up, after its kernels have left the directory; it must not call back
// into the cache.
std::unique_ptr<CodeCache> NewCodeCache(
    CodeSlabs& slabs, KernelDirectory& directory, uint32_t kernels_max,
    std::function<void(uint32_t slab)> on_retired);

}  // namespace quern

#endif  // QUERN_CACHE_CODE_CACHE_H_
