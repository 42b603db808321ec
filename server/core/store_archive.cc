// An archive over an image store.
#include <utility>

#include "server/core/kernel_archive.h"

namespace quern {
namespace {

class StoreArchive final : public KernelArchive {
 public:
  StoreArchive(ImageStore& store, PatientThreads& threads)
      : store_(store), threads_(threads) {}

  void Find(const KernelKey& key, Found found) override {
    // A thread's wake-up costs as much as all the rest, so try without.
    absl::StatusOr<Image> image = store_.TryGet(key);
    if (absl::IsUnavailable(image.status())) {
      Ask([this, key] { return store_.Get(key); }, std::move(found));
      return;
    }
    const bool hit = image.ok();
    found(std::move(image));
    if (hit) store_.Touch(key);
  }

  void FindSource(const KernelKey& key, SourceFound found) override {
    Ask([this, key] { return store_.GetSource(key); }, std::move(found));
  }

  void Keep(const KernelKey& key, Image image, SourceSpec source) override {
    // What comes of it the store counts.
    store_.Put(key, std::move(image), std::move(source)).IgnoreError();
  }

  void Remove(const KernelKey& key, Removed removed) override {
    Ask([this, key] { return store_.Remove(key); }, std::move(removed));
  }

 private:
  // Answers `done` with the result of `blocking`, or that it is late.
  template <typename Blocking, typename Done>
  void Ask(Blocking blocking, Done done) {
    threads_.Run(
        [blocking, done]() -> PatientThreads::Answer {
          return [done, result = blocking()] { done(result); };
        },
        [done](const absl::Status& late) { done(late); });
  }

  ImageStore& store_;
  PatientThreads& threads_;
};

}  // namespace

std::unique_ptr<KernelArchive> NewStoreArchive(ImageStore& store,
                                               PatientThreads& threads) {
  return std::make_unique<StoreArchive>(store, threads);
}

}  // namespace quern
