// Makes a process that runs out of memory or stack say so by its exit status.
#ifndef QUERN_SERVER_SANDBOX_DEATH_REPORTS_H_
#define QUERN_SERVER_SANDBOX_DEATH_REPORTS_H_

#include <cstdint>

#include "absl/status/status.h"

namespace quern {

// Installs, for the rest of the process:
//  - a new-handler that ends it with kExitOutOfMemory;
//  - a handler of SIGSEGV, on a stack of its own, that ends it with
//    kExitStackOverflow if the fault is that of a stack which cannot grow; and
//    with kExitOutOfMemory if not even `memory_reserve_bytes` can be mapped any
//    more, because then somebody used what malloc did not give. Any other fault
//    ends it by SIGSEGV, as without the handler.
//
// Call it in the process's one thread, before the sandbox is entered.
absl::Status InstallDeathReports(uint64_t memory_reserve_bytes);

}  // namespace quern

#endif  // QUERN_SERVER_SANDBOX_DEATH_REPORTS_H_
