// A store of kernel images, and of what they were compiled from, under their
// keys.
//
// An entry never changes: two Puts of one key carry the same bytes, or one of
// the callers has a bug. A store may forget any entry at any time.
//
// All methods are thread-safe and may block on the storage behind them.
#ifndef QUERN_CACHE_IMAGE_STORE_H_
#define QUERN_CACHE_IMAGE_STORE_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/image.h"
#include "proto/wire/kernel_key.h"

namespace quern {

// What a kernel was compiled from. Immutable, hence shared.
using SourceSpec = std::shared_ptr<const CompileSpec>;

class ImageStore {
 public:
  virtual ~ImageStore() = default;

  // Returns the image stored under `key`.
  //
  // NotFound: no entry, or the entry was damaged and is dropped.
  // Unavailable: the store cannot be read now. Compile, and do not Put.
  virtual absl::StatusOr<Image> Get(const KernelKey& key) = 0;

  // As Get, but never waits for storage, and is no use of the entry: call Touch
  // for that, from where waiting does no harm.
  //
  // NotFound: no entry.
  // Unavailable: only Get can tell.
  virtual absl::StatusOr<Image> TryGet(const KernelKey& key) = 0;

  // Marks the entry of `key` as used, if there is one.
  virtual void Touch(const KernelKey& key) = 0;

  // Returns the spec that was stored with the image of `key`.
  //
  // NotFound: no entry, or one without a spec.
  // Unavailable: the store cannot be read now.
  virtual absl::StatusOr<SourceSpec> GetSource(const KernelKey& key) = 0;

  // Stores `image` under `key`, and with it `source`, which may be null.
  //
  // InvalidArgument: `image` is not one, or not that of `key`; only stores
  //   that check say so.
  // ResourceExhausted: the image alone is larger than the store.
  // Any other: the storage failed; what was there may be gone.
  virtual absl::Status Put(const KernelKey& key, Image image,
                           SourceSpec source) = 0;

  // Removes the entry of `key`.
  //
  // NotFound: there is none.
  // Any other: the storage failed, and the entry may still be there.
  virtual absl::Status Remove(const KernelKey& key) = 0;
};

}  // namespace quern

#endif  // QUERN_CACHE_IMAGE_STORE_H_
