// Puts linked code and what is known of a kernel together into an image.
#ifndef QUERN_COMPILER_CODEGEN_IMAGE_BUILDER_H_
#define QUERN_COMPILER_CODEGEN_IMAGE_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "compiler/codegen/link.h"
#include "proto/wire/image_format.h"
#include "proto/wire/kernel_key.h"

namespace quern {

// What the image's header and side tables say of a kernel.
struct ImageDescription {
  KernelKey key;
  std::string name;      // UTF-8, for tools.
  std::string features;  // "avx2,fma,...".
  uint32_t machine = 0;
  uint32_t vector_length_bytes = 0;
  uint64_t scratch_size_bytes = 0;
  bool needs_services = false;
  std::vector<quern_argument_kind> argument_kinds;
  std::vector<std::string> asserts;  // Message of each, by number from 1.
};

// Returns an image that VerifyImage accepts.
//
// InvalidArgument: more than QUERN_ARGUMENTS_MAX arguments.
// ResourceExhausted: the image or its scratch is over its limit.
absl::StatusOr<std::string> BuildImage(LinkedCode code,
                                       const ImageDescription& description);

}  // namespace quern

#endif  // QUERN_COMPILER_CODEGEN_IMAGE_BUILDER_H_
