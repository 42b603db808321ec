// The store of specs.
#include "server/core/source_store.h"

#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"

namespace quern {
namespace {

// What a kept spec costs beside its source, roughly.
constexpr uint64_t kOverheadBytes = 4096;

class BoundedSourceStore final : public SourceStore {
 public:
  explicit BoundedSourceStore(uint64_t size_bytes_max)
      : size_bytes_max_(size_bytes_max) {}

  void Put(const KernelKey& key,
           std::shared_ptr<const CompileSpec> spec) override {
    const uint64_t cost = Cost(*spec);
    if (cost > size_bytes_max_) return;
    std::lock_guard lock(mutex_);
    if (specs_.contains(key)) return;
    while (cost > size_bytes_max_ - size_bytes_) ForgetFirst();
    specs_.emplace(key, std::move(spec));
    order_.push_back(key);
    size_bytes_ += cost;
  }

  std::shared_ptr<const CompileSpec> Get(const KernelKey& key) override {
    std::lock_guard lock(mutex_);
    const auto found = specs_.find(key);
    return found == specs_.end() ? nullptr : found->second;
  }

  uint64_t size_bytes() override {
    std::lock_guard lock(mutex_);
    return size_bytes_;
  }

 private:
  static uint64_t Cost(const CompileSpec& spec) {
    return spec.source.size() + kOverheadBytes;
  }

  void ForgetFirst() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = specs_.find(order_.front());
    size_bytes_ -= Cost(*found->second);
    specs_.erase(found);
    order_.pop_front();
  }

  const uint64_t size_bytes_max_;
  std::mutex mutex_;
  std::map<KernelKey, std::shared_ptr<const CompileSpec>> specs_
      ABSL_GUARDED_BY(mutex_);
  std::deque<KernelKey> order_ ABSL_GUARDED_BY(mutex_);
  uint64_t size_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<SourceStore> NewSourceStore(uint64_t size_bytes_max) {
  return std::make_unique<BoundedSourceStore>(size_bytes_max);
}

}  // namespace quern
