// An image store in a folder of the disk, one file a kernel. See FORMAT.md.
// What the system has in memory, TryGet gives, unless it is large.
//
// Every byte is checked on each read: what Get gives, VerifyImage has accepted
// as the image of its key. A damaged entry is removed and counted. When the
// folder is full the least recently used entry goes first; what Get read is
// used. Any number of stores, also of other processes, may share one folder.
//
// A store never makes an error of what it finds, and it remembers nothing that
// the folder does not say, but for the sizes: it lists the folder before its
// first Put, and again from time to time.
#ifndef QUERN_CACHE_DISK_IMAGE_STORE_H_
#define QUERN_CACHE_DISK_IMAGE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cache/file_ops.h"
#include "cache/image_store.h"

namespace quern {

struct DiskImageStoreOptions {
  // Of all entries, each rounded up to whole blocks of 4 KiB. With several
  // stores on one folder each may exceed it by a sixteenth for each other one.
  uint64_t size_bytes_max = uint64_t{1} << 30;
  // Of a spec's canonical bytes: a kernel of a larger one is stored without
  // it, and a larger one is not read.
  uint64_t spec_size_bytes_max = uint64_t{17} << 20;
  // Names this store's unfinished files; no other store has the same.
  uint64_t writer = 0;
};

struct DiskUsage {
  uint64_t entries = 0;
  uint64_t size_bytes = 0;  // In whole blocks.
  uint64_t bad_removed = 0;
  uint64_t evictions = 0;  // By this store, to make room.
};

class DiskImageStore : public ImageStore {
 public:
  // Looks what lies in the folder, and removes what writers that have died
  // left unfinished.
  //
  // Any error of FileOps: the folder cannot be listed.
  virtual absl::Status Scan() = 0;

  virtual DiskUsage usage() = 0;
};

// `now` is the clock; it may go back.
std::unique_ptr<DiskImageStore> NewDiskImageStore(
    std::unique_ptr<FileOps> files, const DiskImageStoreOptions& options,
    std::function<absl::Time()> now);

}  // namespace quern

#endif  // QUERN_CACHE_DISK_IMAGE_STORE_H_
