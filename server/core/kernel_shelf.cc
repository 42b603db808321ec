// Checking and keeping kernels.
#include "server/core/kernel_shelf.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/image.h"
#include "proto/wire/status.h"
#include "server/core/canonical_spec.h"

namespace quern {
namespace {

// The value of an image's `machine` for `triple`; 0 if there is none.
uint32_t MachineOf(const std::string& triple) {
  const std::string architecture = triple.substr(0, triple.find('-'));
  if (architecture == "x86_64") return QUERN_MACHINE_X86_64;
  if (architecture == "aarch64") return QUERN_MACHINE_AARCH64;
  return 0;
}

// The compiler ran hostile input: what it made is believed only if it checks.
absl::StatusOr<quern_image_header> Check(const KernelKey& key,
                                         const TargetSpec& target,
                                         const std::string& image) {
  const absl::StatusOr<quern_image_header> header = VerifyImage(image);
  if (absl::IsResourceExhausted(header.status())) return header.status();
  if (!header.ok()) {
    return absl::InternalError(absl::StrCat("the compiler made a bad image: ",
                                            header.status().message()));
  }
  if (KeyOfImage(*header) != key) {
    return absl::InternalError("the compiler made an image of another key");
  }
  if (header->machine != MachineOf(target.triple)) {
    return absl::InternalError(
        "the compiler made an image for another machine");
  }
  return *header;
}

class SplitKernelShelf final : public KernelShelf {
 public:
  SplitKernelShelf(CodeCache& cache, ImageStore& store,
                   uint64_t image_size_bytes_max)
      : cache_(cache),
        store_(store),
        image_size_bytes_max_(image_size_bytes_max) {}

  std::optional<CompiledKernel> Find(const KernelKey& key) override {
    CompiledKernel kernel;
    kernel.cached = true;
    if (std::optional<KernelInfo> info = cache_.Find(key)) {
      kernel.info = *std::move(info);
      return kernel;
    }
    absl::StatusOr<Image> image = store_.Get(key);
    if (!image.ok()) return std::nullopt;
    const absl::StatusOr<quern_image_header> header = VerifyImage(**image);
    if (!header.ok()) return std::nullopt;
    kernel.info = DescribeImage(*header, **image, MachineText(*header));
    kernel.image = *std::move(image);
    return kernel;
  }

  absl::StatusOr<CompiledKernel> Keep(const KernelKey& key,
                                      const TargetSpec& target,
                                      const TargetSpec& host,
                                      Image image) override {
    QUERN_RETURN_IF_ERROR(CheckSize(*image));
    QUERN_ASSIGN_OR_RETURN(const quern_image_header header,
                           Check(key, target, *image));
    return Place(header, target, host, std::move(image));
  }

  absl::StatusOr<CompiledKernel> Restore(const TargetSpec& target,
                                         const TargetSpec& host,
                                         Image image) override {
    QUERN_RETURN_IF_ERROR(CheckSize(*image));
    quern_image_header header;
    std::memcpy(&header, image->data(), sizeof(header));
    if (header.machine != MachineOf(target.triple)) {
      return absl::FailedPreconditionError("an image for another machine");
    }
    QUERN_ASSIGN_OR_RETURN(CompiledKernel kernel,
                           Place(header, target, host, std::move(image)));
    kernel.cached = true;
    return kernel;
  }

  absl::Status Evict(const KernelKey& key) override {
    const absl::Status cached = cache_.Evict(key);
    return cached.ok() ? cached : store_.Remove(key);
  }

 private:
  absl::Status CheckSize(const std::string& image) const {
    if (image.size() <= image_size_bytes_max_) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        absl::StrCat("the image has ", image.size(), " bytes; the most is ",
                     image_size_bytes_max_));
  }

  // Puts a checked image where kernels of `target` are kept.
  absl::StatusOr<CompiledKernel> Place(const quern_image_header& header,
                                       const TargetSpec& target,
                                       const TargetSpec& host, Image image) {
    CompiledKernel kernel;
    kernel.info = DescribeImage(header, *image, TargetText(target));
    if (target == host) {
      QUERN_ASSIGN_OR_RETURN(kernel.info,
                             cache_.Insert(std::move(kernel.info), *image));
      return kernel;
    }
    kernel.image = std::move(image);
    // The caller has the image; that the store has no room changes nothing.
    store_.Put(kernel.info.key, kernel.image, nullptr).IgnoreError();
    return kernel;
  }

  // An image does not hold its target's name; its machine is known.
  static std::string MachineText(const quern_image_header& header) {
    return header.machine == QUERN_MACHINE_X86_64 ? "x86_64" : "aarch64";
  }

  CodeCache& cache_;
  ImageStore& store_;
  const uint64_t image_size_bytes_max_;
};

}  // namespace

std::unique_ptr<KernelShelf> NewKernelShelf(CodeCache& cache, ImageStore& store,
                                            uint64_t image_size_bytes_max) {
  return std::make_unique<SplitKernelShelf>(cache, store, image_size_bytes_max);
}

}  // namespace quern
