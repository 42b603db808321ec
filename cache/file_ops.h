// The one seam between the disk store and the system: the files of one folder.
//
// Names are plain: no slashes. All methods are thread-safe, and may block for
// as long as the disk does. Errors are those of ErrnoStatus but for a medium
// that cannot be read, which is DataLoss, and what is said below.
#ifndef QUERN_CACHE_FILE_OPS_H_
#define QUERN_CACHE_FILE_OPS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace quern {

struct FileInfo {
  std::string name;
  uint64_t size_bytes = 0;
  absl::Time modified;
};

// A file that is being written. Closed when it is destroyed; not thread-safe.
class WritableFile {
 public:
  virtual ~WritableFile() = default;

  virtual absl::Status Append(std::string_view bytes) = 0;

  // Returns when what was appended would survive a loss of power.
  virtual absl::Status Sync() = 0;
};

class FileOps {
 public:
  virtual ~FileOps() = default;

  // All of the file's bytes.
  //
  // NotFound: there is none.
  // InvalidArgument: not a regular file, or longer than `size_bytes_max`.
  virtual absl::StatusOr<std::string> Read(const std::string& name,
                                           uint64_t size_bytes_max) = 0;

  // As Read, but never waits for the disk.
  //
  // Unavailable: it would have to, or this system cannot tell.
  virtual absl::StatusOr<std::string> ReadCached(const std::string& name,
                                                 uint64_t size_bytes_max) = 0;

  // Makes a file that is not there yet, readable by this user alone. While the
  // result lives, in whatever process, RemoveAbandoned lets it be.
  //
  // AlreadyExists: there is one of this name.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> Create(
      const std::string& name) = 0;

  // Removes a file unless a living process is writing it.
  virtual absl::Status RemoveAbandoned(const std::string& name) = 0;

  // Gives the file `from` the name `to`, which another may have had, in one
  // step.
  virtual absl::Status Rename(const std::string& from,
                              const std::string& to) = 0;

  // NotFound: there is none.
  virtual absl::Status Remove(const std::string& name) = 0;

  // Sets the time at which a file says that it was modified.
  virtual absl::Status SetModified(const std::string& name,
                                   absl::Time time) = 0;

  // NotFound: there is none.
  virtual absl::StatusOr<FileInfo> Inspect(const std::string& name) = 0;

  // The regular files, in no order. What comes and goes meanwhile may be
  // missing.
  virtual absl::StatusOr<std::vector<FileInfo>> List() = 0;
};

}  // namespace quern

#endif  // QUERN_CACHE_FILE_OPS_H_
