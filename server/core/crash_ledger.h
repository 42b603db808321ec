// Remembers which sources keep killing the compiler, and refuses them for a
// while: each attempt costs a process and, it may be, a minute.
#ifndef QUERN_SERVER_CORE_CRASH_LEDGER_H_
#define QUERN_SERVER_CORE_CRASH_LEDGER_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "proto/wire/kernel_key.h"
#include "server/core/clock.h"

namespace quern {

struct CrashLedgerOptions {
  uint32_t crashes_max = 3;
  absl::Duration refusal = absl::Minutes(5);
};

// Thread-safe.
class CrashLedger {
 public:
  virtual ~CrashLedger() = default;

  // The status of the last crash, if `key` has crashed `crashes_max` times and
  // the last was less than `refusal` ago. Otherwise OK.
  virtual absl::Status Check(const KernelKey& key) = 0;

  // Enters a crash of `key` that was answered with `status`, an error.
  virtual void Record(const KernelKey& key, const absl::Status& status) = 0;

  // Forgets the crashes of `key`: it compiled.
  virtual void Clear(const KernelKey& key) = 0;
};

// `clock` must outlive the result.
std::unique_ptr<CrashLedger> NewCrashLedger(const CrashLedgerOptions& options,
                                            Clock& clock);

}  // namespace quern

#endif  // QUERN_SERVER_CORE_CRASH_LEDGER_H_
