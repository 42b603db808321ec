// The checking decorator.
#include "cache/verifying_image_store.h"

#include <utility>

#include "proto/wire/status.h"

namespace quern {
namespace {

absl::Status Check(const KernelKey& key, const Image& image) {
  QUERN_ASSIGN_OR_RETURN(const quern_image_header header, VerifyImage(*image));
  if (KeyOfImage(header) != key) {
    return absl::InvalidArgumentError("the image is that of another key");
  }
  return absl::OkStatus();
}

class VerifyingImageStore final : public ImageStore {
 public:
  explicit VerifyingImageStore(std::unique_ptr<ImageStore> base)
      : base_(std::move(base)) {}

  absl::StatusOr<Image> Get(const KernelKey& key) override {
    QUERN_ASSIGN_OR_RETURN(Image image, base_->Get(key));
    if (Check(key, image).ok()) return image;
    base_->Remove(key).IgnoreError();  // Somebody else may have been faster.
    return absl::NotFoundError("the stored image was damaged");
  }

  absl::StatusOr<Image> TryGet(const KernelKey& key) override {
    QUERN_ASSIGN_OR_RETURN(Image image, base_->TryGet(key));
    if (Check(key, image).ok()) return image;
    return absl::UnavailableError("the stored image is damaged");
  }

  void Touch(const KernelKey& key) override { base_->Touch(key); }

  absl::StatusOr<SourceSpec> GetSource(const KernelKey& key) override {
    return base_->GetSource(key);
  }

  absl::Status Put(const KernelKey& key, Image image,
                   SourceSpec source) override {
    if (const absl::Status status = Check(key, image); !status.ok()) {
      return absl::InvalidArgumentError(status.message());
    }
    return base_->Put(key, std::move(image), std::move(source));
  }

  absl::Status Remove(const KernelKey& key) override {
    return base_->Remove(key);
  }

 private:
  const std::unique_ptr<ImageStore> base_;
};

}  // namespace

std::unique_ptr<ImageStore> NewVerifyingImageStore(
    std::unique_ptr<ImageStore> base) {
  return std::make_unique<VerifyingImageStore>(std::move(base));
}

}  // namespace quern
