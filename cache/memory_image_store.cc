// The in-memory image store.
#include "cache/memory_image_store.h"

#include <list>
#include <map>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"

namespace quern {
namespace {

class MemoryImageStore final : public ImageStore {
 public:
  explicit MemoryImageStore(uint64_t size_bytes_max)
      : size_bytes_max_(size_bytes_max) {}

  absl::StatusOr<Image> Get(const KernelKey& key) override {
    Touch(key);
    return TryGet(key);
  }

  absl::StatusOr<Image> TryGet(const KernelKey& key) override {
    std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return NoSuchImage();
    return found->second->image;
  }

  void Touch(const KernelKey& key) override {
    std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    entries_.splice(entries_.begin(), entries_, found->second);
  }

  absl::StatusOr<SourceSpec> GetSource(const KernelKey& key) override {
    std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end() || found->second->source == nullptr) {
      return absl::NotFoundError("no such source");
    }
    return found->second->source;
  }

  absl::Status Put(const KernelKey& key, Image image,
                   SourceSpec source) override {
    Entry entry{key, std::move(image), std::move(source)};
    const uint64_t cost = CostOf(entry);
    if (cost > size_bytes_max_) {
      return absl::ResourceExhaustedError(
          "the kernel is larger than the image store");
    }
    std::lock_guard lock(mutex_);
    Erase(key);
    while (cost > size_bytes_max_ - size_bytes_) {
      Erase(KernelKey(entries_.back().key));
    }
    size_bytes_ += cost;
    entries_.push_front(std::move(entry));
    by_key_[key] = entries_.begin();
    return absl::OkStatus();
  }

  absl::Status Remove(const KernelKey& key) override {
    std::lock_guard lock(mutex_);
    return Erase(key) ? absl::OkStatus() : NoSuchImage();
  }

 private:
  struct Entry {
    KernelKey key;
    Image image;
    SourceSpec source;
  };

  static uint64_t CostOf(const Entry& entry) {
    return entry.image->size() +
           (entry.source == nullptr ? 0 : entry.source->source.size());
  }

  static absl::Status NoSuchImage() {
    return absl::NotFoundError("no such image");
  }

  bool Erase(const KernelKey& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return false;
    size_bytes_ -= CostOf(*found->second);
    entries_.erase(found->second);
    by_key_.erase(found);
    return true;
  }

  const uint64_t size_bytes_max_;
  std::mutex mutex_;
  // The most recently used entry comes first.
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  std::map<KernelKey, std::list<Entry>::iterator> by_key_
      ABSL_GUARDED_BY(mutex_);
  uint64_t size_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<ImageStore> NewMemoryImageStore(uint64_t size_bytes_max) {
  return std::make_unique<MemoryImageStore>(size_bytes_max);
}

}  // namespace quern
