// A store of kernel images under their keys.
//
// An entry never changes: two Puts of one key carry the same bytes, or one of
// the callers has a bug. A store may forget any entry at any time.
//
// All methods are thread-safe and may block on the storage behind them.
#ifndef QUERN_CACHE_IMAGE_STORE_H_
#define QUERN_CACHE_IMAGE_STORE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/wire/image.h"
#include "proto/wire/kernel_key.h"

namespace quern {

class ImageStore {
 public:
  virtual ~ImageStore() = default;

  // Returns the image stored under `key`.
  //
  // NotFound: no entry, or the entry was damaged and is dropped.
  // Unavailable: the store cannot be read now. Compile, and do not Put.
  virtual absl::StatusOr<Image> Get(const KernelKey& key) = 0;

  // Stores `image` under `key`.
  //
  // InvalidArgument: `image` is not one, or not that of `key`; only stores
  //   that check say so.
  // ResourceExhausted: the image alone is larger than the store.
  virtual absl::Status Put(const KernelKey& key, Image image) = 0;

  // Removes the entry of `key`.
  //
  // NotFound: there is none.
  virtual absl::Status Remove(const KernelKey& key) = 0;
};

}  // namespace quern

#endif  // QUERN_CACHE_IMAGE_STORE_H_
