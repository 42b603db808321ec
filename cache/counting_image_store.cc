// The counting decorator.
#include "cache/counting_image_store.h"

#include <utility>

namespace quern {
namespace {

class CountingImageStore final : public ImageStore {
 public:
  CountingImageStore(std::unique_ptr<ImageStore> base, ImageStoreCounts& counts)
      : base_(std::move(base)), counts_(counts) {}

  absl::StatusOr<Image> Get(const KernelKey& key) override {
    absl::StatusOr<Image> image = base_->Get(key);
    if (image.ok()) {
      ++counts_.hits;
    } else if (absl::IsNotFound(image.status())) {
      ++counts_.misses;
    } else {
      ++counts_.read_errors;
    }
    return image;
  }

  absl::StatusOr<Image> TryGet(const KernelKey& key) override {
    absl::StatusOr<Image> image = base_->TryGet(key);
    // What is not answered here is asked again, and counted then.
    if (image.ok()) {
      ++counts_.hits;
    } else if (absl::IsNotFound(image.status())) {
      ++counts_.misses;
    }
    return image;
  }

  void Touch(const KernelKey& key) override { base_->Touch(key); }

  absl::StatusOr<SourceSpec> GetSource(const KernelKey& key) override {
    return base_->GetSource(key);
  }

  absl::Status Put(const KernelKey& key, Image image,
                   SourceSpec source) override {
    const absl::Status status =
        base_->Put(key, std::move(image), std::move(source));
    ++(status.ok() ? counts_.puts : counts_.put_errors);
    return status;
  }

  absl::Status Remove(const KernelKey& key) override {
    return base_->Remove(key);
  }

 private:
  const std::unique_ptr<ImageStore> base_;
  ImageStoreCounts& counts_;
};

}  // namespace

std::unique_ptr<ImageStore> NewCountingImageStore(
    std::unique_ptr<ImageStore> base, ImageStoreCounts& counts) {
  return std::make_unique<CountingImageStore>(std::move(base), counts);
}

}  // namespace quern
