// What is known of a compiled kernel without its bytes.
#ifndef QUERN_CACHE_KERNEL_INFO_H_
#define QUERN_CACHE_KERNEL_INFO_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/wire/directory_word.h"
#include "proto/wire/image_format.h"
#include "proto/wire/kernel_key.h"

namespace quern {

struct KernelInfo {
  KernelKey key;
  std::string name;
  ImagePlace place;  // Slab 0: not in a slab.
  uint64_t image_size_bytes = 0;
  uint64_t scratch_size_bytes = 0;
  std::vector<uint8_t> argument_kinds;  // quern_argument_kind.
  std::string target;                   // "triple:cpu", for people.
};

// Describes `image`, whose `header` VerifyImage returned. The place is none.
KernelInfo DescribeImage(const quern_image_header& header,
                         std::string_view image, std::string target);

}  // namespace quern

#endif  // QUERN_CACHE_KERNEL_INFO_H_
