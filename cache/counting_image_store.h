// An image store that counts what passes through it.
#ifndef QUERN_CACHE_COUNTING_IMAGE_STORE_H_
#define QUERN_CACHE_COUNTING_IMAGE_STORE_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "cache/image_store.h"

namespace quern {

// Written by the store, read by anybody at any time.
struct ImageStoreCounts {
  std::atomic<uint64_t> hits{0};
  std::atomic<uint64_t> misses{0};  // NotFound.
  std::atomic<uint64_t> read_errors{0};  // Any other failure of Get.
  std::atomic<uint64_t> puts{0};         // That succeeded.
  std::atomic<uint64_t> put_errors{0};
};

// `counts` must outlive the result.
std::unique_ptr<ImageStore> NewCountingImageStore(
    std::unique_ptr<ImageStore> base, ImageStoreCounts& counts);

}  // namespace quern

#endif  // QUERN_CACHE_COUNTING_IMAGE_STORE_H_
