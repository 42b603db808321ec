// The files of a folder of the system.
#ifndef QUERN_CACHE_POSIX_FILE_OPS_H_
#define QUERN_CACHE_POSIX_FILE_OPS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "cache/file_ops.h"

namespace quern {

// Opens the folder at `path`, and makes it (mode 0700) if it is missing; the
// folder above it must be there. Code that is read from it is run, so it must
// belong to this user, be no symbolic link, and be writable by nobody else. If
// it is removed later, the next file to be made makes it anew.
//
// NotFound: the folder above it is missing.
// PermissionDenied: it is somebody else's, a link, not a folder, or others may
//   write to it.
// ResourceExhausted: no descriptors, or the disk is full.
absl::StatusOr<std::unique_ptr<FileOps>> OpenFolder(const std::string& path);

}  // namespace quern

#endif  // QUERN_CACHE_POSIX_FILE_OPS_H_
