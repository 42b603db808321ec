// Keeps the sources that ended the compiler, as files that can be compiled
// again to look for the fault.
#ifndef QUERN_SERVER_CORE_REPRODUCER_STORE_H_
#define QUERN_SERVER_CORE_REPRODUCER_STORE_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "cache/file_ops.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/kernel_key.h"

namespace quern {

struct ReproducerLimits {
  uint32_t files_max = 16;  // The oldest goes for a new one.
  uint64_t file_size_bytes_max = uint64_t{16} << 20;  // Larger: not saved.
};

// Thread-safe. Saving writes a file, and may block for as long as the disk
// does.
class ReproducerStore {
 public:
  virtual ~ReproducerStore() = default;

  // Saves the source of `spec`, which ended its compiler with `status`, below
  // comments that say what it was compiled for. Returns whether it did: not
  // if it is too large, is there already, or cannot be written.
  virtual bool Save(const KernelKey& key, const CompileSpec& spec,
                    const absl::Status& status) = 0;
};

// Saves into the folder of `files`, as KEY.ttir, .mlir or .ll by the format.
// Other files there are let be.
std::unique_ptr<ReproducerStore> NewReproducerStore(
    const ReproducerLimits& limits, std::unique_ptr<FileOps> files);

// Saves nothing.
std::unique_ptr<ReproducerStore> NewNoReproducerStore();

}  // namespace quern

#endif  // QUERN_SERVER_CORE_REPRODUCER_STORE_H_
