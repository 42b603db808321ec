// From an image's header to its description.
#include "cache/kernel_info.h"

#include <utility>

#include "proto/wire/image.h"

namespace quern {

KernelInfo DescribeImage(const quern_image_header& header,
                         std::string_view image, std::string target) {
  KernelInfo info;
  info.key = KeyOfImage(header);
  info.name = std::string(RangeOf(image, header.name));
  info.image_size_bytes = header.image_size_bytes;
  info.scratch_size_bytes = header.scratch_size_bytes;
  info.argument_kinds.assign(header.argument_kinds,
                             header.argument_kinds + header.argument_count);
  info.target = std::move(target);
  return info;
}

}  // namespace quern
