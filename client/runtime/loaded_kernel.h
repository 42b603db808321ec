// A kernel whose code is mapped into this process, ready to be called.
#ifndef QUERN_CLIENT_RUNTIME_LOADED_KERNEL_H_
#define QUERN_CLIENT_RUNTIME_LOADED_KERNEL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "proto/wire/directory_word.h"
#include "proto/wire/image_format.h"
#include "proto/wire/kernel_abi.h"
#include "proto/wire/kernel_key.h"
#include "proto/wire/shared_region.h"

namespace quern {

// Immutable. Keeps its slab mapped for as long as it lives, also after the
// slab was retired and after the daemon is gone.
struct LoadedKernel {
  KernelKey key;
  quern_entry entry = nullptr;
  quern_image_header header;  // A copy; its ranges count from `image`.
  const uint8_t* image = nullptr;
  uint32_t slab_id = 0;
  std::shared_ptr<const SharedRegion> slab;

  // The kernel's name, and the message of device assert `number` (from 1).
  std::string Name() const;
  std::string AssertMessage(int32_t number) const;
};

// Checks the image at `place` in `slab` (mapped read+exec) and makes its code
// ready to run on every thread of this process.
//
// NotFound: another kernel lies there; the tag agreed by chance.
// FailedPrecondition: an image of another version or for another machine.
// DataLoss: the place is outside the slab, or the header contradicts itself.
absl::StatusOr<std::shared_ptr<const LoadedKernel>> LoadKernel(
    const KernelKey& key, ImagePlace place,
    std::shared_ptr<const SharedRegion> slab);

}  // namespace quern

#endif  // QUERN_CLIENT_RUNTIME_LOADED_KERNEL_H_
