// Keeping the books of a folder.
#include "cache/disk_index.h"

#include <algorithm>

namespace quern {

void DiskIndex::Enter(const KernelKey& key, absl::Time stamp,
                      std::optional<uint64_t> size_bytes) {
  last_stamp_ = std::max(last_stamp_, stamp);
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    if (!size_bytes) return;
    found = entries_.emplace(key, Entry{.stamp = stamp}).first;
  }
  Entry& entry = found->second;
  by_stamp_.erase({entry.stamp, key});
  entry.stamp = stamp;
  by_stamp_.insert({stamp, key});
  if (size_bytes) {
    size_bytes_ += *size_bytes - entry.size_bytes;
    entry.size_bytes = *size_bytes;
  }
}

bool DiskIndex::Forget(const KernelKey& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return false;
  by_stamp_.erase({found->second.stamp, key});
  size_bytes_ -= found->second.size_bytes;
  entries_.erase(found);
  return true;
}

absl::Time DiskIndex::NextStamp(absl::Time now) {
  last_stamp_ = std::max(now, last_stamp_ + absl::Nanoseconds(1));
  return last_stamp_;
}

std::optional<DiskIndex::Use> DiskIndex::LeastRecentlyUsed() const {
  if (by_stamp_.empty()) return std::nullopt;
  const auto& [stamp, key] = *by_stamp_.begin();
  return Use{.key = key, .stamp = stamp};
}

uint64_t DiskIndex::SizeOf(const KernelKey& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? 0 : found->second.size_bytes;
}

}  // namespace quern
