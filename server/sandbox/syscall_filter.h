// The allow-list of system calls.
#ifndef QUERN_SERVER_SANDBOX_SYSCALL_FILTER_H_
#define QUERN_SERVER_SANDBOX_SYSCALL_FILTER_H_

#include <span>

#include "absl/status/status.h"

namespace quern {

// Whether this machine has seccomp filters that end a process.
bool HasSyscallFilter();

// The system calls that a confined process may make, by libseccomp's numbers.
std::span<const int> AllowedSyscalls();

// Lets the calling process make the allowed system calls alone, from now on;
// any other ends it by SIGSYS. Some are allowed for some arguments only: no
// mapping is executable or of a file, and signals go to the process itself.
//
// Unimplemented: this machine has no such filters.
absl::Status FilterSyscalls();

// The system calls that an executor may make.
std::span<const int> AllowedExecutorSyscalls();

// As FilterSyscalls, for an executor and for all threads of the process: files
// may be mapped too, but executable only what is a file and not writable.
//
// Unimplemented: this machine has no such filters.
absl::Status FilterExecutorSyscalls();

}  // namespace quern

#endif  // QUERN_SERVER_SANDBOX_SYSCALL_FILTER_H_
