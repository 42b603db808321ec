// The bytes of a kernel on disk: making and checking them. The layout is
// disk_format.h. Pure functions; nothing outside the given bytes is read,
// whatever they hold.
#ifndef QUERN_CACHE_DISK_ENTRY_H_
#define QUERN_CACHE_DISK_ENTRY_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/kernel_key.h"

namespace quern {

// Views into an entry's bytes.
struct DiskEntry {
  std::string_view image;
  std::string_view source;       // Compressed; empty if there is none.
  uint64_t spec_size_bytes = 0;  // Of the source, decompressed.
};

// The bytes of an entry: `image`, which is that of `key`, and `spec`, unless it
// is null.
std::string EncodeDiskEntry(const KernelKey& key, std::string_view image,
                            const CompileSpec* spec);

// Checks that `bytes` are one whole entry of `key`: sizes, reserved bytes, both
// digests, and all that VerifyImage checks.
//
// InvalidArgument: not an entry, cut off, or that of another key.
// FailedPrecondition: of another version of the format, or the image is.
// DataLoss: a digest does not match.
// ResourceExhausted: the image asks for more scratch than the limit.
absl::StatusOr<DiskEntry> CheckDiskEntry(std::string_view bytes,
                                         const KernelKey& key);

// The spec in `entry`, which CheckDiskEntry gave. `spec_size_bytes_max` bounds
// the memory that this takes.
//
// NotFound: the entry holds none.
// ResourceExhausted: it is larger than the bound.
// DataLoss: it does not decompress to a spec.
absl::StatusOr<CompileSpec> DecodeDiskSource(const DiskEntry& entry,
                                             uint64_t spec_size_bytes_max);

}  // namespace quern

#endif  // QUERN_CACHE_DISK_ENTRY_H_
