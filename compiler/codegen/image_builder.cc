// Puts an image together.
#include "compiler/codegen/image_builder.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/image.h"
#include "proto/wire/kernel_abi.h"

namespace quern {
namespace {

quern_image_range Append(std::string& image, std::string_view bytes) {
  if (bytes.empty()) return {};
  const quern_image_range range = {static_cast<uint32_t>(image.size()),
                                   static_cast<uint32_t>(bytes.size())};
  image.append(bytes);
  return range;
}

std::string ZeroEnded(const std::vector<std::string>& messages) {
  std::string bytes;
  for (const std::string& message : messages) {
    bytes += message;
    bytes += '\0';
  }
  return bytes;
}

quern_image_header HeaderOf(const LinkedCode& code,
                            const ImageDescription& description) {
  quern_image_header header = {};
  header.magic = QUERN_IMAGE_MAGIC;
  header.format_version = QUERN_IMAGE_FORMAT_VERSION;
  header.abi_version = QUERN_KERNEL_ABI_VERSION;
  header.scratch_size_bytes = description.scratch_size_bytes;
  header.machine = description.machine;
  header.vector_length_bytes = description.vector_length_bytes;
  header.flags = description.needs_services ? QUERN_IMAGE_NEEDS_SERVICES : 0;
  header.argument_count = description.argument_kinds.size();
  header.entry_offset = code.entry_offset;
  header.code = code.layout.code;
  header.constants = code.layout.constants;
  std::copy(description.key.bytes.begin(), description.key.bytes.end(),
            header.key);
  std::copy(description.argument_kinds.begin(),
            description.argument_kinds.end(), header.argument_kinds);
  return header;
}

absl::Status CheckLimits(const LinkedCode& code,
                         const ImageDescription& description,
                         size_t tables_size) {
  if (description.argument_kinds.size() > QUERN_ARGUMENTS_MAX) {
    return absl::InvalidArgumentError(
        absl::StrCat("the kernel has ", description.argument_kinds.size(),
                     " arguments; the limit is ", QUERN_ARGUMENTS_MAX));
  }
  if (description.scratch_size_bytes > QUERN_SCRATCH_SIZE_MAX) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the kernel needs ", description.scratch_size_bytes,
                     " bytes of scratch; the limit is 64 MiB"));
  }
  if (code.layout.bytes.size() + tables_size > QUERN_IMAGE_SIZE_MAX) {
    return absl::ResourceExhaustedError("the image is over its limit of 4 MiB");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> BuildImage(LinkedCode code,
                                       const ImageDescription& description) {
  const std::string asserts = ZeroEnded(description.asserts);
  if (absl::Status status =
          CheckLimits(code, description,
                      description.features.size() + description.name.size() +
                          asserts.size());
      !status.ok()) {
    return status;
  }
  quern_image_header header = HeaderOf(code, description);
  std::string image = std::move(code.layout.bytes);
  header.features = Append(image, description.features);
  header.name = Append(image, description.name);
  header.asserts = Append(image, asserts);
  header.image_size_bytes = image.size();
  std::memcpy(image.data(), &header, sizeof(header));
  const Sha256Digest digest = ImageDigest(image);
  std::copy(digest.begin(), digest.end(), header.sha256);
  std::memcpy(image.data(), &header, sizeof(header));
  return image;
}

}  // namespace quern
