// An image store in this process's memory, bounded; the least recently used
// entry goes first.
#ifndef QUERN_CACHE_MEMORY_IMAGE_STORE_H_
#define QUERN_CACHE_MEMORY_IMAGE_STORE_H_

#include <cstdint>
#include <memory>

#include "cache/image_store.h"

namespace quern {

// The images and sources in the result are together at most `size_bytes_max`
// long.
std::unique_ptr<ImageStore> NewMemoryImageStore(uint64_t size_bytes_max);

}  // namespace quern

#endif  // QUERN_CACHE_MEMORY_IMAGE_STORE_H_
