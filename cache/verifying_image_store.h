// An image store that believes nothing: every image is checked on its way in
// and out, so that a damaged or misplaced one is never served.
#ifndef QUERN_CACHE_VERIFYING_IMAGE_STORE_H_
#define QUERN_CACHE_VERIFYING_IMAGE_STORE_H_

#include <memory>

#include "cache/image_store.h"

namespace quern {

// An entry of `base` that is no image, or not the image of its key, is removed
// from `base`, and Get answers NotFound.
std::unique_ptr<ImageStore> NewVerifyingImageStore(
    std::unique_ptr<ImageStore> base);

}  // namespace quern

#endif  // QUERN_CACHE_VERIFYING_IMAGE_STORE_H_
