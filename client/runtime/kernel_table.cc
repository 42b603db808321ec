// Look-ups: first the table, then the directory and the slabs.
#include "client/runtime/kernel_table.h"

#include <algorithm>
#include <atomic>
#include <string_view>
#include <utility>

#include "proto/wire/directory_layout.h"
#include "proto/wire/status.h"

namespace quern {
namespace {

const quern_directory_header& HeaderOf(const SharedRegion& directory) {
  return *reinterpret_cast<const quern_directory_header*>(directory.data());
}

// Loads word `index` of the directory. Pairs with the daemon's release store
// when it publishes: the image's bytes are seen before its word is.
uint64_t LoadWord(const SharedRegion& directory, uint64_t index) {
  auto* words = reinterpret_cast<uint64_t*>(directory.data() +
                                            QUERN_DIRECTORY_HEADER_SIZE);
  return __atomic_load_n(&words[index], __ATOMIC_ACQUIRE);
}

// The number of buckets, or 0 if the directory is not of this version or
// shorter than it says.
uint32_t BucketCount(const SharedRegion& directory) {
  const quern_directory_header& header = HeaderOf(directory);
  const uint32_t count = header.bucket_count;
  const uint64_t needed =
      QUERN_DIRECTORY_HEADER_SIZE +
      uint64_t{count} * QUERN_DIRECTORY_BUCKET_WORDS * sizeof(uint64_t);
  const bool usable = header.magic == QUERN_DIRECTORY_MAGIC &&
                      header.version == QUERN_DIRECTORY_VERSION &&
                      (count & (count - 1)) == 0 &&
                      needed <= directory.size_bytes();
  return usable ? count : 0;
}

}  // namespace

KernelRef KernelTable::Find(const KernelKey& key) const {
  const std::shared_lock lock(mutex_);
  const auto found = kernels_.find(key);
  return found == kernels_.end() ? nullptr : found->second;
}

absl::StatusOr<KernelRef> KernelTable::Load(const KernelKey& key) {
  if (KernelRef kernel = Find(key)) return kernel;
  const SharedRegion& directory = daemon_.directory();
  const uint32_t bucket_count = BucketCount(directory);
  if (bucket_count == 0) {
    return absl::FailedPreconditionError(
        "the daemon's directory is of another version");
  }
  const uint64_t first = FirstWordOf(key, bucket_count);
  for (uint64_t i = 0; i < QUERN_DIRECTORY_BUCKET_WORDS; ++i) {
    const uint64_t word = LoadWord(directory, first + i);
    if (!Matches(word, key)) continue;
    absl::StatusOr<KernelRef> kernel = LoadAt(key, PlaceOf(word));
    if (kernel.ok() || !absl::IsNotFound(kernel.status())) return kernel;
  }
  return absl::NotFoundError("the directory does not hold the kernel");
}

absl::StatusOr<KernelRef> KernelTable::LoadAt(const KernelKey& key,
                                              ImagePlace place) {
  QUERN_ASSIGN_OR_RETURN(std::shared_ptr<const SharedRegion> slab,
                         Slab(place.slab));
  QUERN_ASSIGN_OR_RETURN(KernelRef kernel,
                         LoadKernel(key, place, std::move(slab)));
  const std::lock_guard lock(mutex_);
  return kernels_.try_emplace(key, std::move(kernel)).first->second;
}

void KernelTable::DropRetired() {
  const std::vector<uint32_t> retired = daemon_.TakeRetired();
  if (retired.empty()) return;
  const std::lock_guard lock(mutex_);
  absl::erase_if(kernels_, [&retired](const auto& entry) {
    return std::find(retired.begin(), retired.end(), entry.second->slab_id) !=
           retired.end();
  });
  for (const uint32_t id : retired) slabs_.erase(id);
}

void KernelTable::Adopt(const KernelTable& other) {
  absl::flat_hash_map<KernelKey, KernelRef> kernels;
  {
    const std::shared_lock lock(other.mutex_);
    kernels = other.kernels_;
  }
  const std::lock_guard lock(mutex_);
  for (auto& [key, kernel] : kernels) {
    kernels_.try_emplace(key, std::move(kernel));
  }
}

std::shared_ptr<const HostCompiler> KernelTable::Compiler() {
  {
    const std::shared_lock lock(mutex_);
    if (compiler_ != nullptr) return compiler_;
  }
  const quern_directory_header& header = HeaderOf(daemon_.directory());
  // Pairs with the daemon's release store once the zygote has reported.
  if (__atomic_load_n(&header.ready, __ATOMIC_ACQUIRE) == 0 ||
      header.target_size_bytes > QUERN_DIRECTORY_TARGET_SIZE_MAX) {
    return nullptr;
  }
  absl::StatusOr<TargetSpec> target =
      ParseTarget(std::string_view(header.target, header.target_size_bytes));
  if (!target.ok()) return nullptr;
  auto compiler = std::make_shared<HostCompiler>();
  compiler->target = *std::move(target);
  std::copy(std::begin(header.build_id), std::end(header.build_id),
            compiler->build_id.begin());
  const std::lock_guard lock(mutex_);
  compiler_ = std::move(compiler);
  return compiler_;
}

absl::StatusOr<std::shared_ptr<const SharedRegion>> KernelTable::Slab(
    uint32_t id) {
  {
    const std::shared_lock lock(mutex_);
    const auto found = slabs_.find(id);
    if (found != slabs_.end()) return found->second;
  }
  QUERN_ASSIGN_OR_RETURN(SharedRegion region, daemon_.GetSlab(id));
  auto slab = std::make_shared<const SharedRegion>(std::move(region));
  const std::lock_guard lock(mutex_);
  return slabs_.try_emplace(id, std::move(slab)).first->second;
}

}  // namespace quern
