// Reading and checking kernel images. The layout is image_format.h.
#ifndef QUERN_PROTO_WIRE_IMAGE_H_
#define QUERN_PROTO_WIRE_IMAGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/wire/image_format.h"
#include "proto/wire/kernel_key.h"
#include "proto/wire/sha256.h"

namespace quern {

// The bytes of an image. Immutable, hence shared.
using Image = std::shared_ptr<const std::string>;

// Checks that `bytes` are one whole image of this format and ABI version:
// sizes, ranges, counts, reserved bytes and the digest. Reads nothing outside
// `bytes`, whatever they hold. On success returns a copy of the header.
//
// InvalidArgument: not an image, or cut off.
// FailedPrecondition: an image of another format or ABI version.
// DataLoss: the digest does not match.
// ResourceExhausted: it asks for more scratch than the limit.
absl::StatusOr<quern_image_header> VerifyImage(std::string_view bytes);

// The digest that belongs into the header's `sha256`. `bytes` holds at least a
// header.
Sha256Digest ImageDigest(std::string_view bytes);

// The bytes of `range`, which VerifyImage has checked.
inline std::string_view RangeOf(std::string_view image,
                                const quern_image_range& range) {
  return image.substr(range.offset, range.size_bytes);
}

// The key in the header.
KernelKey KeyOfImage(const quern_image_header& header);

}  // namespace quern

#endif  // QUERN_PROTO_WIRE_IMAGE_H_
