// Where a kernel is, as the directory's words say it. See directory_layout.h.
#ifndef QUERN_PROTO_WIRE_DIRECTORY_WORD_H_
#define QUERN_PROTO_WIRE_DIRECTORY_WORD_H_

#include <cstdint>
#include <cstring>

#include "proto/wire/directory_layout.h"
#include "proto/wire/kernel_key.h"

namespace quern {

// A place in the code slabs. Slab ids begin at 1; `page` counts 4 KiB.
struct ImagePlace {
  uint32_t slab = 0;
  uint32_t page = 0;

  friend bool operator==(const ImagePlace&, const ImagePlace&) = default;
};

inline constexpr uint32_t kMaxSlabId =
    (uint32_t{1} << QUERN_DIRECTORY_SLAB_BITS) - 1;
inline constexpr uint32_t kMaxPage =
    (uint32_t{1} << QUERN_DIRECTORY_PAGE_BITS) - 1;

// The tag that stands for `key` in its bucket.
inline uint64_t TagOf(const KernelKey& key) {
  uint32_t tag;
  std::memcpy(&tag, key.bytes.data() + 8, sizeof(tag));
  return tag & ((uint32_t{1} << QUERN_DIRECTORY_TAG_BITS) - 1);
}

// The index of the first word of the bucket of `key`; `bucket_count` is a
// power of two.
inline uint64_t FirstWordOf(const KernelKey& key, uint32_t bucket_count) {
  uint64_t hash;
  std::memcpy(&hash, key.bytes.data(), sizeof(hash));
  return (hash & (bucket_count - 1)) * QUERN_DIRECTORY_BUCKET_WORDS;
}

inline uint64_t MakeWord(const KernelKey& key, ImagePlace place) {
  return TagOf(key) << QUERN_DIRECTORY_TAG_SHIFT |
         uint64_t{place.slab} << QUERN_DIRECTORY_SLAB_SHIFT |
         uint64_t{place.page} << QUERN_DIRECTORY_PAGE_SHIFT;
}

inline ImagePlace PlaceOf(uint64_t word) {
  return {.slab = static_cast<uint32_t>(word >> QUERN_DIRECTORY_SLAB_SHIFT) &
                  kMaxSlabId,
          .page = static_cast<uint32_t>(word) & kMaxPage};
}

// Whether `word` may be about `key`. An empty word never is.
inline bool Matches(uint64_t word, const KernelKey& key) {
  return word != 0 && word >> QUERN_DIRECTORY_TAG_SHIFT == TagOf(key);
}

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_DIRECTORY_WORD_H_
