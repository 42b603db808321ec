// The code cache: an index over slabs and directory.
#include "cache/code_cache.h"

#include <map>
#include <mutex>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

class SlabCodeCache final : public CodeCache {
 public:
  SlabCodeCache(CodeSlabs& slabs, KernelDirectory& directory,
                uint32_t kernels_max,
                std::function<void(uint32_t slab)> on_retired)
      : slabs_(slabs),
        directory_(directory),
        kernels_max_(kernels_max),
        on_retired_(std::move(on_retired)) {}

  std::optional<KernelInfo> Find(const KernelKey& key) override {
    std::lock_guard lock(mutex_);
    const auto found = kernels_.find(key);
    if (found == kernels_.end()) return std::nullopt;
    return found->second;
  }

  absl::StatusOr<KernelInfo> Insert(KernelInfo info,
                                    std::string_view image) override {
    std::vector<uint32_t> retired;
    absl::StatusOr<KernelInfo> inserted =
        InsertLocked(std::move(info), image, retired);
    // Without the lock: who is told may take long.
    for (const uint32_t slab : retired) on_retired_(slab);
    return inserted;
  }

  absl::Status Evict(const KernelKey& key) override {
    std::lock_guard lock(mutex_);
    const auto found = kernels_.find(key);
    if (found == kernels_.end()) {
      return absl::NotFoundError("no such kernel in the code cache");
    }
    directory_.Withdraw(key, found->second.place);
    kernels_.erase(found);
    ++evictions_;
    return absl::OkStatus();
  }

  std::vector<KernelInfo> List(const std::optional<KernelKey>& after,
                               size_t count) override {
    std::lock_guard lock(mutex_);
    std::vector<KernelInfo> result;
    auto next = after ? kernels_.upper_bound(*after) : kernels_.begin();
    for (; next != kernels_.end() && result.size() < count; ++next) {
      result.push_back(next->second);
    }
    return result;
  }

  CodeCacheStats GetStats() override {
    std::lock_guard lock(mutex_);
    return {.kernels = kernels_.size(),
            .evictions = evictions_,
            .slabs = slabs_.GetStats()};
  }

 private:
  absl::StatusOr<KernelInfo> InsertLocked(KernelInfo info,
                                          std::string_view image,
                                          std::vector<uint32_t>& retired) {
    std::lock_guard lock(mutex_);
    if (const auto found = kernels_.find(info.key); found != kernels_.end()) {
      return found->second;
    }
    while (kernels_.size() >= kernels_max_) RetireOldest(retired);
    if (slabs_.NearLimit(image.size())) RetireOldest(retired);
    absl::StatusOr<ImagePlace> place = slabs_.Append(image);
    if (absl::IsResourceExhausted(place.status()) && RetireOldest(retired)) {
      place = slabs_.Append(image);
    }
    if (!place.ok()) return place.status();
    info.place = *place;
    kernels_.emplace(info.key, info);
    directory_.Publish(info.key, info.place);
    return info;
  }

  // Gives up the oldest slab and all kernels in it. False: there is none.
  bool RetireOldest(std::vector<uint32_t>& retired)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::optional<uint32_t> slab = slabs_.Oldest();
    if (!slab) {
      // No slab, hence no kernel that anybody could find.
      kernels_.clear();
      return false;
    }
    directory_.WithdrawSlab(*slab);
    evictions_ += std::erase_if(kernels_, [&slab](const auto& entry) {
      return entry.second.place.slab == *slab;
    });
    slabs_.Retire(*slab);
    retired.push_back(*slab);
    return true;
  }

  CodeSlabs& slabs_;
  KernelDirectory& directory_;
  const uint32_t kernels_max_;
  const std::function<void(uint32_t slab)> on_retired_;
  std::mutex mutex_;
  // Ordered, because List goes by pages.
  std::map<KernelKey, KernelInfo> kernels_ ABSL_GUARDED_BY(mutex_);
  uint64_t evictions_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<CodeCache> NewCodeCache(
    CodeSlabs& slabs, KernelDirectory& directory, uint32_t kernels_max,
    std::function<void(uint32_t slab)> on_retired) {
  return std::make_unique<SlabCodeCache>(slabs, directory, kernels_max,
                                         std::move(on_retired));
}

}  // namespace quern
