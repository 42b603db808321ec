// Keeps the specs of compiled kernels, so that a kernel can be shown and
// compiled again. Bounded; what was compiled first is forgotten first.
#ifndef QUERN_SERVER_CORE_SOURCE_STORE_H_
#define QUERN_SERVER_CORE_SOURCE_STORE_H_

#include <cstdint>
#include <memory>

#include "proto/wire/compile_spec.h"
#include "proto/wire/kernel_key.h"

namespace quern {

// Thread-safe.
class SourceStore {
 public:
  virtual ~SourceStore() = default;

  // Keeps `spec` under `key`, unless it alone is larger than the store.
  virtual void Put(const KernelKey& key,
                   std::shared_ptr<const CompileSpec> spec) = 0;

  // Null: it is not here, or has been forgotten.
  virtual std::shared_ptr<const CompileSpec> Get(const KernelKey& key) = 0;

  // What is kept now, with an allowance for each entry.
  virtual uint64_t size_bytes() = 0;
};

// The sources in the result are together at most `size_bytes_max` long.
std::unique_ptr<SourceStore> NewSourceStore(uint64_t size_bytes_max);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_SOURCE_STORE_H_
