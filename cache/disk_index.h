// What a disk store knows of its folder: how much lies there, and what was used
// least recently. A bookkeeper without a disk; not thread-safe.
//
// Uses are ordered by stamps: points in time that never go back, whatever the
// clock does. They are kept as the files' times of modification, so that they
// outlive the process and are shared between processes.
#ifndef QUERN_CACHE_DISK_INDEX_H_
#define QUERN_CACHE_DISK_INDEX_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/time/time.h"
#include "proto/wire/kernel_key.h"

namespace quern {

class DiskIndex final {
 public:
  struct Use {
    KernelKey key;
    absl::Time stamp;
  };

  // Enters `key`, or what is new of it. Without a size the size stays as it
  // was, and a key that is not here stays unknown.
  void Enter(const KernelKey& key, absl::Time stamp,
             std::optional<uint64_t> size_bytes);

  // False: it was not here.
  bool Forget(const KernelKey& key);

  // The stamp of a use that happens `now`: later than all before it.
  absl::Time NextStamp(absl::Time now);

  std::optional<Use> LeastRecentlyUsed() const;

  uint64_t size_bytes() const { return size_bytes_; }
  uint64_t entries() const { return entries_.size(); }
  uint64_t SizeOf(const KernelKey& key) const;

 private:
  struct Entry {
    absl::Time stamp;
    uint64_t size_bytes = 0;
  };

  std::map<KernelKey, Entry> entries_;
  std::set<std::pair<absl::Time, KernelKey>> by_stamp_;
  uint64_t size_bytes_ = 0;
  absl::Time last_stamp_ = absl::InfinitePast();
};

}  // namespace quern

#endif  // QUERN_CACHE_DISK_INDEX_H_
