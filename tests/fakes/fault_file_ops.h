// A folder in memory whose disk fails as a test wishes.
//
// The folder outlives the stores on it, as a disk does: several FileOps, from
// Open, share one.
#ifndef QUERN_TESTS_FAKES_FAULT_FILE_OPS_H_
#define QUERN_TESTS_FAKES_FAULT_FILE_OPS_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "cache/file_ops.h"

namespace quern {

// Thread-safe. Must outlive what Open returns.
class FaultyFolder final {
 public:
  std::unique_ptr<FileOps> Open();

  // The `n`-th call from now on, counted from 1, fails with `status`.
  void FailCall(uint64_t n, absl::Status status);

  // Calls made so far.
  uint64_t calls();

  // From now on at most so many bytes lie here. No value: as many as may be.
  void SetCapacity(std::optional<uint64_t> bytes);

  // From now on nothing can be changed, or again can.
  void SetReadOnly(bool read_only);

  // From now on calls wait until Release.
  void Hold();
  void Release();

  // Whether the system has the files in memory, for ReadCached.
  std::atomic<bool> cached{false};

  // The machine loses power. Bytes that were not synced are gone; of the
  // names, which nobody syncs, those that `names_survive` says. Files that
  // were being written are nobody's any more.
  void Crash(bool names_survive);

  // Looking and tampering, past all faults.
  std::map<std::string, std::string> Contents();
  void Set(const std::string& name, const std::string& bytes);
  std::optional<absl::Time> Modified(const std::string& name);

  // What FileOps do.
  struct File {
    std::string bytes;
    std::string synced;
    absl::Time modified = absl::FromUnixSeconds(1000000000);
    bool being_written = false;
  };

  // Takes part in the faults: waits while held, and returns the status that
  // the call must fail with.
  absl::Status Enter(bool changes);

  std::mutex mutex;
  std::map<std::string, std::shared_ptr<File>> files ABSL_GUARDED_BY(mutex);
  // Names as they were before the last renames, for Crash.
  std::map<std::string, std::shared_ptr<File>> old_names ABSL_GUARDED_BY(mutex);

  // Whether `more` bytes still fit.
  bool Fits(uint64_t more) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

 private:
  std::condition_variable released_;
  std::map<uint64_t, absl::Status> failures_ ABSL_GUARDED_BY(mutex);
  uint64_t calls_ ABSL_GUARDED_BY(mutex) = 0;
  std::optional<uint64_t> capacity_ ABSL_GUARDED_BY(mutex);
  bool read_only_ ABSL_GUARDED_BY(mutex) = false;
  bool held_ ABSL_GUARDED_BY(mutex) = false;
};

}  // namespace quern

#endif  // QUERN_TESTS_FAKES_FAULT_FILE_OPS_H_
