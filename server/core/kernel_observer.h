// What the kernel service tells of its work, for statistics and diagnosis.
#ifndef QUERN_SERVER_CORE_KERNEL_OBSERVER_H_
#define QUERN_SERVER_CORE_KERNEL_OBSERVER_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/wire/compile_spec.h"
#include "proto/wire/kernel_key.h"
#include "server/core/compiler_pool.h"

namespace quern {

// Thread-safe; called on the service's way, and so must be quick.
class KernelObserver {
 public:
  virtual ~KernelObserver() = default;

  // A Compile call was answered after `latency`.
  virtual void OnAnswer(const absl::Status& status, bool cached,
                        absl::Duration latency) = 0;

  // A kernel was compiled and published.
  virtual void OnCompiled(const KernelKey& key,
                          const CompileTimings& timings) = 0;

  // `spec` ended its compiler with `status`.
  virtual void OnDeadlySource(const KernelKey& key, const CompileSpec& spec,
                              const absl::Status& status) = 0;
};

}  // namespace quern

#endif  // QUERN_SERVER_CORE_KERNEL_OBSERVER_H_
